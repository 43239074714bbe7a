"""Training runs: launched, queued, followed and ended. Free of torch."""
