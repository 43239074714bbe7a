"""The messages of a training's stream, as clients of every release read them."""

from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import (
    EXECUTION_STAGE_TRAIN,
    TRAIN_HOOK_STATISTICAL_NODE_END,
    TRAIN_HOOK_STATISTICAL_NODE_START,
    TRAIN_HOOK_STATISTICAL_PROGRESS,
    TRAIN_STATUS_CANCELLED,
    TRAIN_STATUS_COMPLETE,
    TRAIN_STATUS_ERROR,
    TRAIN_STATUS_RUNNING,
    TRAIN_STATUS_UNSPECIFIED,
    Context,
    FrameProgress,
    TrainEvent,
    TrainHook,
    TrainResponse,
)

_TERMINAL = frozenset({TRAIN_STATUS_COMPLETE, TRAIN_STATUS_ERROR, TRAIN_STATUS_CANCELLED})


def is_terminal(message: TrainResponse) -> bool:
    """Whether it is the last message of its stream."""
    return message.status in _TERMINAL


def no_activity() -> TrainResponse:
    """What the status of a session is that has trained nothing."""
    return TrainResponse(
        status=TRAIN_STATUS_UNSPECIFIED, message="No training activity in this session yet"
    )


def waiting(ahead: int, *, interrupted: bool) -> TrainResponse:
    """A run waits for a trainer.

    Args:
        ahead: Runs that wait before it.
        interrupted: It had begun already.
    """
    what = (
        "Training was interrupted and goes on when a training slot is free"
        if interrupted
        else "Waiting for a free training slot"
    )
    return running(f"{what}: queued, {ahead} ahead")


def beginning() -> TrainResponse:
    """A trainer has taken a run up and has told nothing yet."""
    return running("Training is about to begin")


def resumed(epoch: int) -> TrainResponse:
    """A run goes on from a checkpoint, after `epoch` epochs."""
    message = running(f"Resumed from epoch {epoch}")
    message.context.epoch = epoch
    return message


def started_again() -> TrainResponse:
    """A run that was interrupted begins from its beginning."""
    return running("Started again")


def starting_statistical() -> TrainResponse:
    """First message of a statistical run."""
    return running("Starting statistical training")


def starting_gradient() -> TrainResponse:
    """First message of a gradient run."""
    return running("Gradient training")


def starting_calibration() -> TrainResponse:
    """First message of a calibration."""
    return running("Starting calibration")


def node_started(node: str, total: int) -> TrainResponse:
    """The fit of a node begins; `total` frames are to be read."""
    return _of_node(
        TRAIN_HOOK_STATISTICAL_NODE_START, f"Fitting {node} (0/{total})", node, 0, total
    )


def node_progressed(node: str, done: int, total: int) -> TrainResponse:
    """The fit of a node has read `done` of `total` frames."""
    text = f"Fitting {node} ({done}/{total})"
    return _of_node(TRAIN_HOOK_STATISTICAL_PROGRESS, text, node, done, total)


def node_ended(node: str, done: int, total: int) -> TrainResponse:
    """The fit of a node is over."""
    return _of_node(TRAIN_HOOK_STATISTICAL_NODE_END, f"Fitted {node}", node, done, total)


def complete_statistical(summary: str = "") -> TrainResponse:
    """Last message of a statistical run that succeeded.

    Args:
        summary: What the steps after the training changed; empty: nothing.
    """
    return _complete(_joined("Statistical training complete", summary), 1, 1)


def complete_gradient(epochs: int, global_step: int, summary: str) -> TrainResponse:
    """Last message of a gradient run that succeeded.

    Args:
        epochs: Epochs at most, however many there were.
        global_step: Optimiser steps.
        summary: What the steps after the training changed; empty: nothing.
    """
    return _complete(_joined("Gradient training complete", summary), epochs, global_step)


def complete_calibration(summary: str) -> TrainResponse:
    """Last message of a calibration that succeeded; `summary` tells what it changed."""
    return _complete(_joined("Calibration complete", summary), 1, 1)


def failed(text: str) -> TrainResponse:
    """Last message of a run that failed; the gRPC status with the same text follows it."""
    return TrainResponse(
        context=Context(stage=EXECUTION_STAGE_TRAIN), status=TRAIN_STATUS_ERROR, message=text
    )


def cancelled(text: str) -> TrainResponse:
    """Last message of a run that was stopped before its end."""
    return TrainResponse(
        context=Context(stage=EXECUTION_STAGE_TRAIN), status=TRAIN_STATUS_CANCELLED, message=text
    )


def running(text: str) -> TrainResponse:
    """A message of a run that goes on."""
    return TrainResponse(
        context=Context(stage=EXECUTION_STAGE_TRAIN), status=TRAIN_STATUS_RUNNING, message=text
    )


def _of_node(
    hook: TrainHook.ValueType, text: str, node: str, done: int, total: int
) -> TrainResponse:
    message = running(text)
    progress = FrameProgress(done=done, total=total)
    message.event.CopyFrom(TrainEvent(hook=hook, node=node, progress=progress))
    return message


def _complete(text: str, epochs: int, global_step: int) -> TrainResponse:
    return TrainResponse(
        context=Context(stage=EXECUTION_STAGE_TRAIN, epoch=epochs, global_step=global_step),
        status=TRAIN_STATUS_COMPLETE,
        message=text,
    )


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
