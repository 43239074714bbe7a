"""Configs as the wire carries them."""

import json
from typing import Any

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


def to_reply(config: dict[str, Any]) -> pb.ResolveConfigResponse:
    """Return the config as readable JSON."""
    return pb.ResolveConfigResponse(config_bytes=json.dumps(config, indent=2).encode())
