"""Session service: session life cycle, search paths, gateway health."""
