"""Calibration of deciders and evaluation of whole splits."""
