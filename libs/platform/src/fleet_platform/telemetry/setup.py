"""Sets up traces and logs of a process, once, and ends them within a bounded time."""

import os
import threading
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry.logs import configure_logs
from fleet_platform.telemetry.sampling import WhileExported

_FLUSH_TIMEOUT_S = 3.0
_SEND_EVERY_MS = 1000.0


class Telemetry:
    """What has to be ended when the process stops."""

    def __init__(self, sampler: WhileExported | None, processor: BatchSpanProcessor | None) -> None:
        self._sampler = sampler
        self._processor = processor

    def close(self) -> None:
        """Send the spans that are still queued; gives up after three seconds."""
        if self._processor is None:
            return
        if self._sampler is not None:
            self._sampler.exporters -= 1
        # The SDK's own shutdown may wait far longer when the collector is away.
        flush = threading.Thread(target=self._processor.shutdown, name="span-flush", daemon=True)
        flush.start()
        flush.join(_FLUSH_TIMEOUT_S)
        self._processor = None


def configure_telemetry(service_name: str, settings: ServiceSettings) -> Telemetry:
    """Set up traces and logs of this process.

    The tracer provider of a process can be set only once: when several services run in one process
    (as in tests) they share the first one's, each with its own exporter. A provider that somebody
    else has set stays in place and keeps its own sampler.

    Args:
        service_name: OpenTelemetry's ``service.name``.
        settings: Level and format of logs; where spans go.
    """
    configure_logs(service_name, settings)
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = _provider(service_name)
        trace.set_tracer_provider(provider)
    sampler = provider.sampler if isinstance(provider.sampler, WhileExported) else None
    endpoint = settings.otel_exporter_otlp_endpoint
    if endpoint is None:
        return Telemetry(sampler, None)
    # Takes a tenth of the start-up, so only where spans are sent.
    from fleet_platform.telemetry.exporter import QuietOtlpExporter

    processor = BatchSpanProcessor(
        QuietOtlpExporter(endpoint), schedule_delay_millis=_SEND_EVERY_MS
    )
    provider.add_span_processor(processor)
    if sampler is not None:
        sampler.exporters += 1
    return Telemetry(sampler, processor)


def _provider(service_name: str) -> TracerProvider:
    resource = Resource.create(
        {
            "service.name": service_name,
            "service.namespace": "cuvis-fleet",
            "service.version": version("cuvis-fleet-platform"),
            "process.pid": os.getpid(),
        }
    )
    return TracerProvider(sampler=WhileExported(), resource=resource, shutdown_on_exit=False)
