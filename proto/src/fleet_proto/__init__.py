"""Wire contract of cuvis-fleet: generated messages and stubs."""
