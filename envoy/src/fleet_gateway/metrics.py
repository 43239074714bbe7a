"""Envoy's own metrics at a port of their own, so that its admin port need not be opened."""

from typing import Any

_ADMIN = "admin"


def metrics_routes() -> list[dict[str, Any]]:
    """What the metrics port answers: one path, the same as the services'."""
    action = {"cluster": _ADMIN, "prefix_rewrite": "/stats/prometheus"}
    return [{"match": {"path": "/metrics"}, "route": action}]


def admin_cluster(address: dict[str, Any]) -> dict[str, Any]:
    """The admin port as an upstream of its own process."""
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {
        "name": _ADMIN,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": _ADMIN, "endpoints": endpoints},
    }
