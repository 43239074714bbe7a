"""Tracing spans of the epochs of a gradient training."""

from lightning.pytorch import Callback, LightningModule, Trainer
from opentelemetry.trace import Span, StatusCode

from fleet_platform.telemetry import tracer
from fleet_platform.telemetry.attributes import EPOCH, STEP
from fleet_platform.telemetry.catalogue import spans

_TRACER = tracer(spans.EPOCH.scope)


class EpochSpans(Callback):
    """Creates one span for each epoch below the span of the run, without children."""

    def __init__(self) -> None:
        self._span: Span | None = None

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start the span of the epoch."""
        attributes = {EPOCH: trainer.current_epoch}
        self._span = _TRACER.start_span(spans.EPOCH.name, attributes=attributes)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End the span of the epoch."""
        self._end(trainer)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """End the span of a failed epoch."""
        if self._span is not None:
            self._span.set_status(StatusCode.ERROR, type(exception).__name__)
        self._end(trainer)

    def _end(self, trainer: Trainer) -> None:
        if self._span is not None:
            self._span.set_attribute(STEP, trainer.global_step)
            self._span.end()
            self._span = None
