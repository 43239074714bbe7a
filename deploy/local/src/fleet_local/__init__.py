"""Local stack: every part as a real process on one machine."""
