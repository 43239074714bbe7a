"""What a session asks, as plans that the synchronous and the asyncio session carry out."""

from collections.abc import Callable, Iterable, Sequence
from os import PathLike, fspath
from typing import Literal

from cuvis_fleet.errors import CuvisFleetError, WrongArgument
from cuvis_fleet.inference_request import InferenceRequest
from cuvis_fleet.node_times import NodeTimes
from cuvis_fleet.port import Port
from cuvis_fleet.progress import Progress
from cuvis_fleet.resolved_config import Config, ResolvedConfig, config_bytes
from cuvis_fleet.result import Result, decode_outputs
from cuvis_fleet.saved_pipeline import SavedPipeline
from cuvis_fleet.saved_trainrun import SavedTrainRun
from cuvis_fleet.shared_memory import SharedMemory
from cuvis_fleet.steps import Plan, Reply, Step, call, path_of
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

Trainer = Literal["statistical", "gradient", "calibration"]
File = str | PathLike[str]
_TRAINERS = {
    "statistical": pb.TRAINER_TYPE_STATISTICAL,
    "gradient": pb.TRAINER_TYPE_GRADIENT,
    "calibration": pb.TRAINER_TYPE_CALIBRATION,
}


def create() -> Plan[str]:
    """Open a session: its id."""
    answer = yield from call("CreateSession", pb.CreateSessionRequest(), pb.CreateSessionResponse)
    return answer.session_id


def close(session_id: str) -> Plan[None]:
    """End a session."""
    request = pb.CloseSessionRequest(session_id=session_id)
    yield from call("CloseSession", request, pb.CloseSessionResponse)


def set_search_paths(session_id: str, paths: Iterable[File]) -> Plan[tuple[str, ...]]:
    """Replace the search paths: those that were rejected."""
    request = pb.SetSessionSearchPathsRequest(
        session_id=session_id, search_paths=[fspath(path) for path in paths], append=False
    )
    answer = yield from call("SetSessionSearchPaths", request, pb.SetSessionSearchPathsResponse)
    return tuple(answer.rejected_paths)


def resolve(
    session_id: str, config_type: str, path: str, overrides: Sequence[str]
) -> Plan[ResolvedConfig]:
    """Compose a configuration."""
    request = pb.ResolveConfigRequest(
        session_id=session_id, config_type=config_type, path=path, overrides=overrides
    )
    answer = yield from call("ResolveConfig", request, pb.ResolveConfigResponse)
    return ResolvedConfig(answer.config_bytes)


def apply(session_id: str, trainrun: Config) -> Plan[None]:
    """Apply a trainrun."""
    config = pb.TrainRunConfig(config_bytes=config_bytes(trainrun))
    request = pb.SetTrainRunConfigRequest(session_id=session_id, config=config)
    yield from call("SetTrainRunConfig", request, pb.SetTrainRunConfigResponse)


def load(
    session_id: str, pipeline: Config, weights: File | bytes | None, *, strict: bool
) -> Plan[None]:
    """Load a pipeline, and weights if there are any."""
    config = pb.PipelineConfig(config_bytes=config_bytes(pipeline))
    request = pb.LoadPipelineRequest(session_id=session_id, pipeline=config)
    yield from call("LoadPipeline", request, pb.LoadPipelineResponse)
    if weights is None:
        return
    loading = pb.LoadPipelineWeightsRequest(session_id=session_id, strict=strict)
    if isinstance(weights, bytes):
        loading.weights_bytes = weights
    else:
        loading.weights_path = fspath(weights)
    yield from call("LoadPipelineWeights", loading, pb.LoadPipelineWeightsResponse)


def save(
    session_id: str, path: File, name: str, description: str, tags: Sequence[str]
) -> Plan[SavedPipeline]:
    """Save the pipeline."""
    metadata = pb.PipelineMetadata(name=name, description=description, tags=tags)
    request = pb.SavePipelineRequest(
        session_id=session_id, pipeline_path=fspath(path), metadata=metadata
    )
    answer = yield from call("SavePipeline", request, pb.SavePipelineResponse)
    return SavedPipeline(answer.pipeline_path, answer.weights_path)


def save_trainrun(session_id: str, path: File, *, weights: bool) -> Plan[SavedTrainRun]:
    """Save the trainrun."""
    request = pb.SaveTrainRunRequest(
        session_id=session_id, trainrun_path=fspath(path), save_weights=weights
    )
    answer = yield from call("SaveTrainRun", request, pb.SaveTrainRunResponse)
    return SavedTrainRun(answer.trainrun_path, answer.pipeline_path, answer.weights_path)


def restore_trainrun(
    session_id: str, path: File, weights: File | None, *, strict: bool
) -> Plan[ResolvedConfig]:
    """Restore a trainrun into the session."""
    request = pb.RestoreTrainRunRequest(
        session_id=session_id,
        trainrun_path=fspath(path),
        weights_path=None if weights is None else fspath(weights),
        strict=strict,
    )
    answer = yield from call("RestoreTrainRun", request, pb.RestoreTrainRunResponse)
    return ResolvedConfig(answer.trainrun.config_bytes)


def train_request(session_id: str, trainer: Trainer) -> pb.TrainRequest:
    """What begins or attaches to a training.

    Raises:
        WrongArgument: there is no such trainer.
    """
    if trainer not in _TRAINERS:
        raise WrongArgument(f"trainer is {trainer!r}; use one of {', '.join(_TRAINERS)}")
    return pb.TrainRequest(session_id=session_id, trainer_type=_TRAINERS[trainer])


def follow_request(session_id: str) -> pb.TrainRequest:
    """What follows a training, of any kind, and begins none."""
    return pb.TrainRequest(session_id=session_id)


def status(session_id: str) -> Plan[Progress]:
    """The newest message of the training."""
    request = pb.GetTrainStatusRequest(session_id=session_id)
    answer = yield from call("GetTrainStatus", request, pb.GetTrainStatusResponse)
    return Progress.from_wire(answer.latest_progress)


def stop(session_id: str) -> Plan[str]:
    """Stop the training: what will happen, for people."""
    request = pb.StopTrainRequest(session_id=session_id)
    answer = yield from call("StopTrain", request, pb.StopTrainResponse)
    return answer.message


def inputs(session_id: str) -> Plan[dict[str, Port]]:
    """What the pipeline takes."""
    request = pb.GetPipelineInputsRequest(session_id=session_id)
    answer = yield from call("GetPipelineInputs", request, pb.GetPipelineInputsResponse)
    return {name: Port.of_pipeline(answer.input_specs[name]) for name in answer.input_names}


def outputs(session_id: str) -> Plan[dict[str, Port]]:
    """What the pipeline ends in."""
    request = pb.GetPipelineOutputsRequest(session_id=session_id)
    answer = yield from call("GetPipelineOutputs", request, pb.GetPipelineOutputsResponse)
    return {name: Port.of_pipeline(answer.output_specs[name]) for name in answer.output_names}


def profile(session_id: str, *, on: bool) -> Plan[None]:
    """Time the nodes, or no longer."""
    request = pb.SetProfilingRequest(session_id=session_id, enabled=on)
    yield from call("SetProfiling", request, pb.SetProfilingResponse)


def profile_summary(session_id: str) -> Plan[list[NodeTimes]]:
    """The timings so far."""
    request = pb.GetProfilingSummaryRequest(session_id=session_id)
    answer = yield from call("GetProfilingSummary", request, pb.GetProfilingSummaryResponse)
    return [NodeTimes.from_wire(stats) for stats in answer.node_stats]


def infer(
    session_id: str, request_of: Callable[[], InferenceRequest], memory: SharedMemory
) -> Plan[Result]:
    """Run the pipeline; large arrays go through shared memory where the server has it.

    Args:
        session_id: whose pipeline runs.
        request_of: makes the request, which copies arrays that the wire has otherwise.
        memory: for large arrays.
    """
    request = request_of()
    arrays = memory.worth_placing(request)
    if not arrays:
        return _result((yield _inference(request.serialised(session_id))))
    with memory.placed(arrays) as places:
        if places:
            try:
                reply = yield _inference(request.serialised(session_id, places))
            except CuvisFleetError as error:
                if not memory.may_be_at_fault(error):
                    raise
            else:
                memory.found()
                return _result(reply)
    reply = yield _inference(request.serialised(session_id))
    if places:
        memory.give_up()
    return _result(reply)


def _inference(request: bytes) -> Step:
    return Step(path_of("Inference"), request, decode_outputs)


def _result(reply: Reply) -> Result:
    arrays, metrics = reply.value
    return Result(arrays, metrics, reply.trace_id)
