"""Session service: session life cycle, search paths, plugins, gateway health."""
