"""Generated messages and stubs of ``cuvis_ai.v1``."""
