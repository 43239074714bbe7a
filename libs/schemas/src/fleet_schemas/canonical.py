"""Canonical JSON and digests of configs, by which equal configs are recognised."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fleet_schemas.config_model import ConfigModel


def canonical_json(config: ConfigModel | Mapping[str, Any]) -> bytes:
    """Return the config as UTF-8 JSON with sorted keys and no spaces."""
    plain = config.to_dict() if isinstance(config, ConfigModel) else config
    text = json.dumps(
        plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def digest(content: bytes) -> str:
    """Return the lower-case SHA-256 of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
