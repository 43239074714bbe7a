"""Records spans only while somebody receives them."""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes


class WhileExported(Sampler):
    """Follows the caller's decision while an exporter is attached, and records nothing otherwise.

    Ids are made in both cases. An unrecorded span costs a call about a tenth of a millisecond less.
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
        """Decide for one span."""
        sampler = DEFAULT_ON if self.exporters else ALWAYS_OFF
        return sampler.should_sample(
            parent_context, trace_id, name, kind, attributes, links, trace_state
        )

    def get_description(self) -> str:
        """Name of this sampler."""
        return "WhileExported"
