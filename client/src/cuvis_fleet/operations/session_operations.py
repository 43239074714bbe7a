"""Operations of a session, shared by the synchronous and the asyncio session."""

from collections.abc import Iterable, Sequence
from os import PathLike, fspath
from typing import Literal

from cuvis_fleet.errors import WrongArgument
from cuvis_fleet.models.node_times import NodeTimes
from cuvis_fleet.models.port import Port
from cuvis_fleet.models.progress import Progress
from cuvis_fleet.models.resolved_config import Config, ResolvedConfig, config_bytes
from cuvis_fleet.models.saved_pipeline import SavedPipeline
from cuvis_fleet.models.saved_trainrun import SavedTrainRun
from cuvis_fleet.operations.operation import Operation, call
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

Trainer = Literal["statistical", "gradient", "calibration"]
File = str | PathLike[str]
_TRAINERS = {
    "statistical": pb.TRAINER_TYPE_STATISTICAL,
    "gradient": pb.TRAINER_TYPE_GRADIENT,
    "calibration": pb.TRAINER_TYPE_CALIBRATION,
}


def create() -> Operation[str]:
    """Open a session and return its id."""
    response = yield from call("CreateSession", pb.CreateSessionRequest(), pb.CreateSessionResponse)
    return response.session_id


def close(session_id: str) -> Operation[None]:
    """Close a session."""
    request = pb.CloseSessionRequest(session_id=session_id)
    yield from call("CloseSession", request, pb.CloseSessionResponse)


def set_search_paths(session_id: str, paths: Iterable[File]) -> Operation[tuple[str, ...]]:
    """Replace the search paths; return the rejected ones."""
    request = pb.SetSessionSearchPathsRequest(
        session_id=session_id, search_paths=[fspath(path) for path in paths], append=False
    )
    response = yield from call("SetSessionSearchPaths", request, pb.SetSessionSearchPathsResponse)
    return tuple(response.rejected_paths)


def resolve(
    session_id: str, config_type: str, path: str, overrides: Sequence[str]
) -> Operation[ResolvedConfig]:
    """Compose a configuration."""
    request = pb.ResolveConfigRequest(
        session_id=session_id, config_type=config_type, path=path, overrides=overrides
    )
    response = yield from call("ResolveConfig", request, pb.ResolveConfigResponse)
    return ResolvedConfig(response.config_bytes)


def apply(session_id: str, trainrun: Config) -> Operation[None]:
    """Apply a trainrun."""
    config = pb.TrainRunConfig(config_bytes=config_bytes(trainrun))
    request = pb.SetTrainRunConfigRequest(session_id=session_id, config=config)
    yield from call("SetTrainRunConfig", request, pb.SetTrainRunConfigResponse)


def load(
    session_id: str, pipeline: Config, weights: File | bytes | None, *, strict: bool
) -> Operation[None]:
    """Load a pipeline, and its weights if given."""
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
) -> Operation[SavedPipeline]:
    """Save the pipeline."""
    metadata = pb.PipelineMetadata(name=name, description=description, tags=tags)
    request = pb.SavePipelineRequest(
        session_id=session_id, pipeline_path=fspath(path), metadata=metadata
    )
    response = yield from call("SavePipeline", request, pb.SavePipelineResponse)
    return SavedPipeline(response.pipeline_path, response.weights_path)


def save_trainrun(session_id: str, path: File, *, weights: bool) -> Operation[SavedTrainRun]:
    """Save the trainrun."""
    request = pb.SaveTrainRunRequest(
        session_id=session_id, trainrun_path=fspath(path), save_weights=weights
    )
    response = yield from call("SaveTrainRun", request, pb.SaveTrainRunResponse)
    return SavedTrainRun(response.trainrun_path, response.pipeline_path, response.weights_path)


def restore_trainrun(
    session_id: str, path: File, weights: File | None, *, strict: bool
) -> Operation[ResolvedConfig]:
    """Restore a trainrun into the session."""
    request = pb.RestoreTrainRunRequest(
        session_id=session_id,
        trainrun_path=fspath(path),
        weights_path=None if weights is None else fspath(weights),
        strict=strict,
    )
    response = yield from call("RestoreTrainRun", request, pb.RestoreTrainRunResponse)
    return ResolvedConfig(response.trainrun.config_bytes)


def train_request(session_id: str, trainer: Trainer) -> pb.TrainRequest:
    """Return the request that starts a training or attaches to one.

    Raises:
        WrongArgument: the trainer is unknown.
    """
    if trainer not in _TRAINERS:
        raise WrongArgument(f"trainer is {trainer!r}; use one of {', '.join(_TRAINERS)}")
    return pb.TrainRequest(session_id=session_id, trainer_type=_TRAINERS[trainer])


def follow_request(session_id: str) -> pb.TrainRequest:
    """Return the request that follows a training of any kind and never starts one."""
    return pb.TrainRequest(session_id=session_id)


def status(session_id: str) -> Operation[Progress]:
    """Return the newest message of the training."""
    request = pb.GetTrainStatusRequest(session_id=session_id)
    response = yield from call("GetTrainStatus", request, pb.GetTrainStatusResponse)
    return Progress.from_wire(response.latest_progress)


def stop(session_id: str) -> Operation[str]:
    """Stop the training; return the server's message about it."""
    request = pb.StopTrainRequest(session_id=session_id)
    response = yield from call("StopTrain", request, pb.StopTrainResponse)
    return response.message


def inputs(session_id: str) -> Operation[dict[str, Port]]:
    """Return the inputs of the pipeline."""
    request = pb.GetPipelineInputsRequest(session_id=session_id)
    response = yield from call("GetPipelineInputs", request, pb.GetPipelineInputsResponse)
    return {name: Port.of_pipeline(response.input_specs[name]) for name in response.input_names}


def outputs(session_id: str) -> Operation[dict[str, Port]]:
    """Return the outputs of the pipeline."""
    request = pb.GetPipelineOutputsRequest(session_id=session_id)
    response = yield from call("GetPipelineOutputs", request, pb.GetPipelineOutputsResponse)
    return {name: Port.of_pipeline(response.output_specs[name]) for name in response.output_names}


def profile(session_id: str, *, on: bool) -> Operation[None]:
    """Turn the timing of the nodes on or off."""
    request = pb.SetProfilingRequest(session_id=session_id, enabled=on)
    yield from call("SetProfiling", request, pb.SetProfilingResponse)


def profile_summary(session_id: str) -> Operation[list[NodeTimes]]:
    """Return the timings so far."""
    request = pb.GetProfilingSummaryRequest(session_id=session_id)
    response = yield from call("GetProfilingSummary", request, pb.GetProfilingSummaryResponse)
    return [NodeTimes.from_wire(stats) for stats in response.node_stats]
