"""How calls reach a server: connection settings, retries, failures and the gRPC channel."""
