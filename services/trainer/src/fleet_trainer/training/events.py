"""Converts the engine's training events into progress messages."""

from collections.abc import Mapping
from types import MappingProxyType

from fleet_engine import Pipeline, Stage
from fleet_engine.training import BestCheckpoint, CalibrationReport, Hook, TrainingEvent
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_trainer.runs.messages import running
from fleet_trainer.training.context import RunOwner

_STAGES: Mapping[Stage, pb.ExecutionStage.ValueType] = MappingProxyType(
    {
        Stage.TRAIN: pb.EXECUTION_STAGE_TRAIN,
        Stage.VAL: pb.EXECUTION_STAGE_VAL,
        Stage.TEST: pb.EXECUTION_STAGE_TEST,
    }
)
_PHASE_SKIPS: Mapping[str, pb.CalibrationPhaseSkip.ValueType] = MappingProxyType(
    {
        "": pb.CALIBRATION_PHASE_SKIP_NONE,
        "no_split": pb.CALIBRATION_PHASE_SKIP_NO_SPLIT,
        "inference_failed": pb.CALIBRATION_PHASE_SKIP_INFERENCE_FAILED,
        "ambiguous_mask": pb.CALIBRATION_PHASE_SKIP_AMBIGUOUS_MASK,
        "single_class": pb.CALIBRATION_PHASE_SKIP_SINGLE_CLASS,
    }
)
_THINNED = frozenset(
    {
        Hook.TRAIN_PROGRESS,
        Hook.VALIDATION_START,
        Hook.VALIDATION_PROGRESS,
        Hook.CALIBRATION_PROGRESS,
        Hook.EVALUATION_PROGRESS,
    }
)
_UNCOUNTED = frozenset({Hook.FIT_START, Hook.FIT_END, Hook.CHECKPOINT_RESTORED, Hook.POST_FIT_END})
_CALIBRATED = frozenset(
    {Hook.CALIBRATION_END, Hook.EVALUATION_START, Hook.EVALUATION_PROGRESS, Hook.EVALUATION_END}
    | {Hook.POST_FIT_END}
)


class EventMessages:
    """Converts the events of one training, and remembers what its calibration changed.

    Attributes:
        summary: The new thresholds in words; empty if none was changed.
        hindrance: Why none was changed; empty if that is unknown so far or a threshold was changed.
    """

    def __init__(self, pipeline: Pipeline, *, calibration_pending: bool) -> None:
        """Start without a summary.

        Args:
            pipeline: The pipeline that is trained.
            calibration_pending: Whether a calibration will follow.
        """
        self.summary = ""
        self.hindrance = ""
        self._pipeline = pipeline
        self._pending = calibration_pending

    def of(self, event: TrainingEvent) -> pb.TrainResponse:
        """Return the message of an event."""
        if event.hook in _CALIBRATED:
            self._pending = False
        message = running(_text(event))
        message.context.stage = _STAGES[event.stage]
        message.context.epoch = event.epoch
        message.context.batch_idx = event.batch_idx
        message.context.global_step = event.global_step
        message.losses.update(event.losses)
        message.metrics.update(event.metrics)
        message.event.CopyFrom(self._structure(event))
        return message

    def _structure(self, event: TrainingEvent) -> pb.TrainEvent:
        made = pb.TrainEvent(
            hook=pb.TrainHook.Value(f"TRAIN_HOOK_{event.hook.name}"),
            calibration_pending=self._pending,
        )
        if event.stage is not Stage.TRAIN:
            made.split = _STAGES[event.stage]
        if event.hook not in _UNCOUNTED:
            made.progress.CopyFrom(pb.FrameProgress(done=event.done, total=event.total))
        if event.epochs:
            current = min(event.epoch + 1, event.epochs)
            made.epochs.CopyFrom(pb.EpochProgress(current=current, total=event.epochs))
        if event.checkpoint is not None:
            made.checkpoint.CopyFrom(_checkpoint(event.checkpoint))
        if event.calibration is not None:
            made.calibration.CopyFrom(self._calibration(event.calibration))
            self.summary = _summary(event.calibration)
            self.hindrance = "" if self.summary else _hindrance(event.calibration)
        if event.hook is Hook.EVALUATION_END:
            made.evaluation.CopyFrom(_evaluation(event))
        return made

    def _calibration(self, report: CalibrationReport) -> pb.CalibrationOutcome:
        deciders = [*report.calibrated, *report.failed]
        return pb.CalibrationOutcome(
            split=pb.EXECUTION_STAGE_VAL,
            applicable=bool(deciders),
            phase_skip=_PHASE_SKIPS[report.skipped],
            phase_detail=report.detail,
            frames=report.frames,
            anomalous_frames=report.anomalous_frames,
            deciders=[self._decider(name, report) for name in deciders],
        )

    def _decider(self, name: str, report: CalibrationReport) -> pb.DeciderCalibration:
        node = self._pipeline.nodes[name]
        outcome = pb.DeciderCalibration(name=name, class_name=type(node).__name__)
        if name in report.failed:
            wired = any(reader == name for reader, _ in self._pipeline.wiring.sources)
            outcome.status = pb.DECIDER_CALIBRATION_STATUS_SKIPPED
            outcome.skip = (
                pb.DECIDER_SKIP_CALIBRATE_FAILED if wired else pb.DECIDER_SKIP_NOTHING_WIRED
            )
            outcome.skip_detail = report.failed[name]
            return outcome
        calibration = report.calibrated[name]
        outcome.status = pb.DECIDER_CALIBRATION_STATUS_CALIBRATED
        outcome.skip = pb.DECIDER_SKIP_NONE
        outcome.thresholds_present = True
        for threshold, after in calibration.after.items():
            change = outcome.thresholds[threshold]
            change.before, change.after = calibration.before[threshold], after
        outcome.metrics.update(calibration.metrics)
        return outcome


class EventSender:
    """Sends each event of a training as a message; frequent events are thinned out."""

    def __init__(self, events: EventMessages, owner: RunOwner) -> None:
        self._events = events
        self._owner = owner

    def __call__(self, event: TrainingEvent) -> None:
        """Send the message of an event."""
        send = self._owner.send_if_due if event.hook in _THINNED else self._owner.send
        send(self._events.of(event))


_TEXTS: Mapping[Hook, str] = MappingProxyType(
    {
        Hook.FIT_START: "Gradient training",
        Hook.EPOCH_START: "Training ({done}/{total})",
        Hook.TRAIN_PROGRESS: "Training ({done}/{total})",
        Hook.VALIDATION_START: "Validating ({done}/{total})",
        Hook.VALIDATION_PROGRESS: "Validating ({done}/{total})",
        Hook.VALIDATION_END: "Validated",
        Hook.EPOCH_END: "Epoch {current}/{epochs} complete",
        Hook.FIT_END: "Gradient training",
        Hook.CALIBRATION_START: "Calibrating ({done}/{total})",
        Hook.CALIBRATION_PROGRESS: "Calibrating ({done}/{total})",
        Hook.CALIBRATION_END: "Calibrated",
        Hook.EVALUATION_START: "Evaluating {split} ({done}/{total})",
        Hook.EVALUATION_PROGRESS: "Evaluating {split} ({done}/{total})",
        Hook.EVALUATION_END: "Evaluated {split}",
        Hook.POST_FIT_END: "Post-fit steps complete",
    }
)


def _text(event: TrainingEvent) -> str:
    if event.checkpoint is not None:
        return _checkpoint(event.checkpoint).reason
    if event.error:
        return f"Evaluation of {event.stage.value} failed: {event.error}"
    return _TEXTS[event.hook].format(
        done=event.done,
        total=event.total,
        current=event.epoch + 1,
        epochs=event.epochs,
        split=event.stage.value,
    )


def _checkpoint(best: BestCheckpoint) -> pb.CheckpointRestored:
    made = pb.CheckpointRestored(
        restored=best.restored, epoch=best.epoch, monitor=best.monitor, reason=best.reason
    )
    if best.score is not None:
        made.score = best.score
    if best.restored:
        score = "" if best.score is None else f", {best.monitor} {best.score:.6g}"
        made.reason = f"Restored the best checkpoint (epoch {best.epoch}{score})"
    return made


def _evaluation(event: TrainingEvent) -> pb.EvaluationOutcome:
    return pb.EvaluationOutcome(
        split=_STAGES[event.stage],
        status=pb.EVALUATION_STATUS_FAILED if event.error else pb.EVALUATION_STATUS_EVALUATED,
        frames=event.done,
        metrics=event.metrics,
        error=event.error,
    )


def _summary(report: CalibrationReport) -> str:
    if not report.calibrated:
        return ""
    found = [
        f"{name} ({', '.join(f'{key} {value:.6g}' for key, value in each.after.items())})"
        for name, each in report.calibrated.items()
    ]
    return f"thresholds calibrated on val: {', '.join(found)}"


def _hindrance(report: CalibrationReport) -> str:
    reasons = [f"{name}: {reason}" for name, reason in report.failed.items()]
    why = report.detail or "; ".join(reasons) or "the pipeline has no decider to calibrate"
    return f"no threshold was changed, {why}"
