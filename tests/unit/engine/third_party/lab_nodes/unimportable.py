"""A module with a missing dependency."""

import lab_secret_sauce  # noqa: F401
