"""The sessions of this user: their journal and their status."""
