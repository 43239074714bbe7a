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


def waiting() -> TrainResponse:
    """What the status of a run is that no trainer has begun yet."""
    return _running("Waiting for a free training slot")


def starting_statistical() -> TrainResponse:
    """First message of a statistical run."""
    return _running("Starting statistical training")


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


def complete_statistical() -> TrainResponse:
    """Last message of a statistical run that succeeded."""
    return TrainResponse(
        context=Context(stage=EXECUTION_STAGE_TRAIN, epoch=1, global_step=1),
        status=TRAIN_STATUS_COMPLETE,
        message="Statistical training complete",
    )


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


def _running(text: str) -> TrainResponse:
    return TrainResponse(
        context=Context(stage=EXECUTION_STAGE_TRAIN), status=TRAIN_STATUS_RUNNING, message=text
    )


def _of_node(
    hook: TrainHook.ValueType, text: str, node: str, done: int, total: int
) -> TrainResponse:
    message = _running(text)
    progress = FrameProgress(done=done, total=total)
    message.event.CopyFrom(TrainEvent(hook=hook, node=node, progress=progress))
    return message
