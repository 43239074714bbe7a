"""Sets up traces and logs for a process, and shuts them down within a limited time."""

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
_EXPORT_INTERVAL_MS = 1000.0


class Telemetry:
    """The telemetry of a running service, to be closed when it stops."""

    def __init__(self, sampler: WhileExported | None, processor: BatchSpanProcessor | None) -> None:
        self._sampler = sampler
        self._processor = processor

    def close(self) -> None:
        """Export the queued spans; give up after three seconds."""
        if self._processor is None:
            return
        if self._sampler is not None:
            self._sampler.exporters -= 1
        # The SDK's own shutdown may wait much longer if the collector is unavailable.
        flush = threading.Thread(target=self._processor.shutdown, name="span-flush", daemon=True)
        flush.start()
        flush.join(_FLUSH_TIMEOUT_S)
        self._processor = None


def configure_telemetry(service_name: str, settings: ServiceSettings) -> Telemetry:
    """Set up traces and logs for this process.

    The tracer provider of a process can be set only once, so several services in one process, as in
    tests, share the provider of the first, each with its own exporter. A provider that was set
    elsewhere is kept, with its own sampler.

    Args:
        service_name: OpenTelemetry's ``service.name``.
        settings: Level and format of logs, and the destination of spans.
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
    # The import takes a tenth of the start-up time, so it is done only if spans are exported.
    from fleet_platform.telemetry.exporter import QuietOtlpExporter

    processor = BatchSpanProcessor(
        QuietOtlpExporter(endpoint), schedule_delay_millis=_EXPORT_INTERVAL_MS
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
