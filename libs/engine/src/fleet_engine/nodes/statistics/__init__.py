"""Statistics that nodes collect while they are fitted."""
