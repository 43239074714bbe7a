"""Shell completion from the server's data."""

import os

from cuvis_fleet.client import connect
from cuvis_fleet.errors import CuvisFleetError

_TIMEOUT_S = 1.0


def complete_pipeline(incomplete: str) -> list[str]:
    """Return the pipelines whose path starts with `incomplete`; empty if no server answers."""
    address = os.environ.get("CUVIS_FLEET_ADDRESS", "localhost:50051")
    try:
        with connect(address, timeout_s=_TIMEOUT_S, retries=None) as client:
            paths = [info.path for info in client.pipelines()]
    except (CuvisFleetError, ValueError):
        return []
    return [path for path in paths if path.startswith(incomplete)]
