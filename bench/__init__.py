"""Benchmarks through the gateway, as ratios to a bare gRPC echo of the same bytes."""
