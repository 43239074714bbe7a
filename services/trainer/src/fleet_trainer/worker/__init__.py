"""The worker process: executes one run at a time, as its owner."""
