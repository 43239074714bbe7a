"""What a service hands to the server."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc

from fleet_platform.rpc.call import Call
from fleet_platform.telemetry import MetricRegistry

Handler = Callable[[Any, Call], Any]
"""Unary: ``(request, call) -> response``; server stream: ``(request, call) -> responses``."""


@dataclass(frozen=True)
class Codec:
    """How one method's messages are read and written in place of protobuf's own way."""

    decode: Callable[[bytes], Any]
    """Bytes of the request to what the handler gets."""

    encode: Callable[[Any], bytes]
    """What the handler returns (of a stream: each item) to bytes of the response."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service: its handlers, what it depends on, and what is to be closed behind it."""

    name: str
    """Name in health checks, traces and logs."""

    methods: Mapping[str, Handler]
    """Behaviours by method name of ``cuvis_ai.v1.CuvisAIService``."""

    owned: Iterable[str]
    """All methods that the gateway sends here: the same ones, or the service does not start."""

    codecs: Mapping[str, Codec] = field(default_factory=dict)
    """Codecs by method name; the other methods use protobuf's."""

    probes: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """One question for each dependency, by its name: returns when it answers, else raises."""

    generic_handlers: Sequence[grpc.GenericRpcHandler] = ()
    """More handlers, asked before the server's own ones (health and reflection included)."""

    on_drain: Sequence[Callable[[], object]] = ()
    """Called in this order when the service stops, once the gateway has chosen other replicas:
    streams that would exceed the grace period end here and report the reason to their callers."""

    on_stop: Sequence[Callable[[], object]] = ()
    """Called in this order once no calls are running."""

    registry: MetricRegistry = field(default_factory=MetricRegistry.of_process)
    """The metrics of its process; those of its calls and its health are added to it."""
