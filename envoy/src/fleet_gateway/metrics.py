"""Exposes Envoy's metrics on a separate port, so that its admin port can stay closed."""

from typing import Any

_ADMIN = "admin"


def metrics_routes() -> list[dict[str, Any]]:
    """Return the routes of the metrics port: one path, the same as that of the services."""
    action = {"cluster": _ADMIN, "prefix_rewrite": "/stats/prometheus"}
    return [{"match": {"path": "/metrics"}, "route": action}]


def admin_cluster(address: dict[str, Any]) -> dict[str, Any]:
    """Return Envoy's own admin port as an upstream cluster."""
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
    return {
        "name": _ADMIN,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": _ADMIN, "endpoints": endpoints},
    }
