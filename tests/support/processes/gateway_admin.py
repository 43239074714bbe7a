"""Envoy's own view of the replicas behind it."""

import json
import urllib.request
from pathlib import Path


class GatewayAdmin:
    """Envoy's admin interface, as its rendered configuration names it."""

    def __init__(self, bootstrap: Path) -> None:
        address = json.loads(bootstrap.read_text(encoding="utf-8"))["admin"]["address"]
        socket_address = address["socket_address"]
        self._url = f"http://{socket_address['address']}:{socket_address['port_value']}"

    def healthy_ports(self, cluster: str) -> set[int]:
        """Ports of the replicas that get calls now."""
        status = json.loads(self._get("/clusters?format=json"))
        (found,) = (each for each in status["cluster_statuses"] if each["name"] == cluster)
        return {
            int(host["address"]["socket_address"]["port_value"])
            for host in found["host_statuses"]
            if _is_healthy(host["health_status"])
        }

    def _get(self, path: str) -> str:
        with urllib.request.urlopen(self._url + path, timeout=5.0) as answer:
            return str(answer.read().decode())


def _is_healthy(status: dict[str, object]) -> bool:
    failed = {name for name, value in status.items() if name.startswith("failed_") and value}
    return not failed and status.get("eds_health_status", "HEALTHY") == "HEALTHY"
