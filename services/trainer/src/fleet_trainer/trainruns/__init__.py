"""Trainruns: applied to a session, saved to files and restored from them."""
