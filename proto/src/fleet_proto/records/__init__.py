"""Records that the services keep, package ``fleet.records``."""
