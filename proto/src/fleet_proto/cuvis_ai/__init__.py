"""The public wire, package ``cuvis_ai``."""
