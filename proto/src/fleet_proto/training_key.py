"""The key in the metadata of ``Train`` that makes calls repeatable.

A client makes a key for each training run that it wants. The first call with a key starts the run;
later calls with the same key follow it. A stream that follows a run sends the run's key as initial
metadata.
"""

import secrets

KEY = "x-fleet-training-key"
"""Metadata of a call and of its answer: the key."""

FOLLOW_ONLY = "x-fleet-training-begun"
"""Metadata of a call, with any value: follow a training run that was started, and start none."""

PATTERN = "[0-9A-Za-z_-]{16,64}"
"""Regular expression that every key matches."""

_KEY_BYTES = 16


def new_key() -> str:
    """Return a random key for a training run."""
    return secrets.token_hex(_KEY_BYTES)
