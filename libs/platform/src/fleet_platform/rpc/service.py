"""The definition of a service for its server."""

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
    """Decodes and encodes the messages of one method, instead of protobuf."""

    decode: Callable[[bytes], Any]
    """Converts the bytes of a request to the handler's argument."""

    encode: Callable[[Any], bytes]
    """Converts the handler's result, or each item of a stream, to the bytes of a response."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service: its handlers, its dependencies, and what to close when it stops."""

    name: str
    """Name in health checks, traces and logs."""

    methods: Mapping[str, Handler]
    """Handlers by method name of ``cuvis_ai.v1.CuvisAIService``."""

    owned: Iterable[str]
    """All methods that the gateway routes here; the service does not start if `methods` differs."""

    codecs: Mapping[str, Codec] = field(default_factory=dict)
    """Codecs by method name; the other methods use protobuf's."""

    probes: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    """One check per dependency, by its name; a check raises if the dependency does not answer."""

    generic_handlers: Sequence[grpc.GenericRpcHandler] = ()
    """More handlers, which take precedence over the server's own (including health)."""

    on_drain: Sequence[Callable[[], object]] = ()
    """Called in this order when the service stops, once the gateway has chosen other replicas:
    streams that would exceed the grace period end here and report the reason to their callers."""

    on_stop: Sequence[Callable[[], object]] = ()
    """Called in this order once no calls are running."""

    registry: MetricRegistry = field(default_factory=MetricRegistry.of_process)
    """The metrics of the process; those of the service's calls and health are added to it."""
