"""Names of the metadata that clients, the gateway and the services exchange."""

CALLER_IDENTITY = "x-fleet-caller"
"""Request: identity of the caller. Only the gateway sets it; it removes what a client sends."""

CALLER_ADDRESS = "x-fleet-address"
"""Request: address of the caller. Only the gateway sets it; it replaces what a client sends."""

ANSWER_BYTES = "x-fleet-answer-bytes"
"""Initial metadata of a reply: its size, so that the gateway can wait for the whole reply."""

TRACE_ID = "x-trace-id"
"""Trailing metadata of a reply: the trace id of the call."""

STATUS_DETAILS = "grpc-status-details-bin"
"""Trailing metadata of an error: a ``google.rpc.Status`` with details."""

RETRY_PUSHBACK = "grpc-retry-pushback-ms"
"""Trailing metadata of an error: delay before a retry, which gRPC's own retries respect."""
