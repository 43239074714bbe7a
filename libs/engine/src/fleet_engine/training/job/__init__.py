"""The settings of a gradient training and their checks."""
