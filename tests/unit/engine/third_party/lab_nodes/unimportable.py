"""Needs what is not installed."""

import lab_secret_sauce  # noqa: F401
