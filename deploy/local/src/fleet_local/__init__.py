"""Local stack: every part as a separate process on one machine."""
