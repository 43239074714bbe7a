"""Records in the session store, package ``fleet.records``."""
