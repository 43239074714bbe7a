"""The checks of ``cuvis-fleet doctor``."""
