"""Digests, which are the names of artifacts."""

import hashlib
import re

from typing_extensions import Buffer

from fleet_platform.errors import NotFound
from fleet_platform.shown_text import shown

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


def content_digest(content: Buffer) -> str:
    """Return the lower-case hexadecimal SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def is_digest(text: str) -> bool:
    """Return whether `text` can be the name of an artifact, and so of a file."""
    return _DIGEST.fullmatch(text) is not None


def artifact_not_found(digest: str) -> NotFound:
    """Return the error for an artifact that is missing or damaged."""
    return NotFound(f"Artifact {shown(digest)} not found.")
