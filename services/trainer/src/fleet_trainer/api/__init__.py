"""The gRPC methods: convert requests, call the domain, convert results."""
