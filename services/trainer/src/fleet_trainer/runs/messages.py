"""The progress messages of a run, with the texts that clients of every release expect."""

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
    """Return whether this is the last message of its stream."""
    return message.status in _TERMINAL


def no_activity() -> TrainResponse:
    """Return the status of a session that has not trained anything."""
    return TrainResponse(
        status=TRAIN_STATUS_UNSPECIFIED, message="No training activity in this session yet"
    )


def waiting(ahead: int, *, interrupted: bool) -> TrainResponse:
    """Return a message that the run waits for a trainer.

    Args:
        ahead: Number of runs that wait before it.
        interrupted: Whether it had started before.
    """
    what = (
        "Training was interrupted and continues when a training slot is free"
        if interrupted
        else "Waiting for a free training slot"
    )
    return running(f"{what}: queued, {ahead} ahead")


def starting() -> TrainResponse:
    """Return the status of a run that a trainer has claimed and that has sent no message yet."""
    return running("Training is about to start")


def resumed(epoch: int) -> TrainResponse:
    """Return a message that the run continues from a checkpoint, after `epoch` epochs."""
    message = running(f"Resumed from epoch {epoch}")
    message.context.epoch = epoch
    return message


def started_again() -> TrainResponse:
    """Return a message that an interrupted run starts again from its beginning."""
    return running("Started again")


def starting_statistical() -> TrainResponse:
    """Return the first message of a statistical run."""
    return running("Starting statistical training")


def starting_gradient() -> TrainResponse:
    """Return the first message of a gradient run."""
    return running("Gradient training")


def starting_calibration() -> TrainResponse:
    """Return the first message of a calibration."""
    return running("Starting calibration")


def node_started(node: str, total: int) -> TrainResponse:
    """Return a message that the fit of a node starts, which reads `total` frames."""
    return _of_node(
        TRAIN_HOOK_STATISTICAL_NODE_START, f"Fitting {node} (0/{total})", node, 0, total
    )


def node_progressed(node: str, done: int, total: int) -> TrainResponse:
    """Return a message that the fit of a node has read `done` of `total` frames."""
    text = f"Fitting {node} ({done}/{total})"
    return _of_node(TRAIN_HOOK_STATISTICAL_PROGRESS, text, node, done, total)


def node_ended(node: str, done: int, total: int) -> TrainResponse:
    """Return a message that the fit of a node has ended."""
    return _of_node(TRAIN_HOOK_STATISTICAL_NODE_END, f"Fitted {node}", node, done, total)


def complete_statistical(summary: str = "") -> TrainResponse:
    """Return the last message of a statistical run that succeeded.

    Args:
        summary: What the steps after the training have changed; empty if nothing.
    """
    return _complete(_joined("Statistical training complete", summary), 1, 1)


def complete_gradient(epochs: int, global_step: int, summary: str) -> TrainResponse:
    """Return the last message of a gradient run that succeeded.

    Args:
        epochs: The maximum number of epochs, even if fewer were trained.
        global_step: Number of optimiser steps.
        summary: What the steps after the training have changed; empty if nothing.
    """
    return _complete(_joined("Gradient training complete", summary), epochs, global_step)


def complete_calibration(summary: str) -> TrainResponse:
    """Return the last message of a calibration that succeeded; `summary`: what it changed."""
    return _complete(_joined("Calibration complete", summary), 1, 1)


def failed(text: str) -> TrainResponse:
    """Return the last message of a failed run; the gRPC status with the same text follows it."""
    return TrainResponse(
        context=Context(stage=EXECUTION_STAGE_TRAIN), status=TRAIN_STATUS_ERROR, message=text
    )


def cancelled(text: str) -> TrainResponse:
    """Return the last message of a run that was stopped before its end."""
    return TrainResponse(
        context=Context(stage=EXECUTION_STAGE_TRAIN), status=TRAIN_STATUS_CANCELLED, message=text
    )


def running(text: str) -> TrainResponse:
    """Return a message of a run that is in progress."""
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
