"""Generated messages of ``fleet.records.v1``."""
