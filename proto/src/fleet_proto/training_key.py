"""How the metadata of ``Train`` names a training, so that a call made again means the same one.

A client makes a key for each training that it wants. Calls with one key begin that training once
and follow it ever after; what follows a training is told its key ahead of the messages.
"""

KEY = "x-fleet-training-key"
"""Metadata of a call and of its answer: the key."""

BEGUN = "x-fleet-training-begun"
"""Metadata of a call, whatever its value: follow what was begun, and begin nothing."""

PATTERN = "[0-9A-Za-z_-]{16,64}"
"""What a key looks like, as a regular expression."""
