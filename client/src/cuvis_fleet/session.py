"""One session with the server."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from typing import Literal, TypeVar

import numpy.typing as npt
from google.protobuf.message import Message

from cuvis_fleet.calls import Calls
from cuvis_fleet.progress import Progress
from cuvis_fleet.resolved_config import Config, ResolvedConfig, config_bytes
from cuvis_fleet.result import Result, decode_outputs
from cuvis_fleet.saved_trainrun import SavedTrainRun
from cuvis_fleet.tensors import cube_tensor, mask_tensor, wavelengths_tensor
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

Trainer = Literal["statistical", "gradient"]
_TRAINERS = {
    "statistical": pb.TRAINER_TYPE_STATISTICAL,
    "gradient": pb.TRAINER_TYPE_GRADIENT,
}
Response = TypeVar("Response")


@dataclass(frozen=True)
class SavedPipeline:
    """Where the server wrote a pipeline.

    Attributes:
        pipeline_path: of the configuration, absolute on the server.
        weights_path: of the weights.
    """

    pipeline_path: str
    weights_path: str


class Session:
    """A pipeline on the server and what belongs to it; made by `Client.session`.

    Every method raises a `CuvisFleetError` of a kind that tells what went wrong, and leaves the
    session usable.

    Attributes:
        id: the server's name for it.
        rejected_search_paths: folders that the server would not search.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self.id = self._call(
            "CreateSession", pb.CreateSessionRequest(), pb.CreateSessionResponse.FromString
        ).session_id
        self.rejected_search_paths: tuple[str, ...] = ()

    def set_search_paths(self, paths: Iterable[str | PathLike[str]]) -> None:
        """Have configurations and weights looked up in these folders of the server alone.

        The configurations that ship with the server are found in any case.
        """
        request = pb.SetSessionSearchPathsRequest(
            session_id=self.id, search_paths=[str(path) for path in paths], append=False
        )
        response = self._call(
            "SetSessionSearchPaths", request, pb.SetSessionSearchPathsResponse.FromString
        )
        self.rejected_search_paths = tuple(response.rejected_paths)

    def resolve(self, config_type: str, path: str, overrides: Sequence[str] = ()) -> ResolvedConfig:
        """Compose a configuration.

        Args:
            config_type: ``trainrun``, ``pipeline``, ``data`` or ``training``.
            path: such as ``trainrun/rx_statistical``.
            overrides: in Hydra's grammar, such as ``data.batch_size=4``.
        """
        request = pb.ResolveConfigRequest(
            session_id=self.id, config_type=config_type, path=path, overrides=overrides
        )
        response = self._call("ResolveConfig", request, pb.ResolveConfigResponse.FromString)
        return ResolvedConfig(response.config_bytes)

    def apply(self, trainrun: Config) -> None:
        """Make a trainrun's pipeline, data and training settings those of the session."""
        config = pb.TrainRunConfig(config_bytes=config_bytes(trainrun))
        request = pb.SetTrainRunConfigRequest(session_id=self.id, config=config)
        self._call("SetTrainRunConfig", request, pb.SetTrainRunConfigResponse.FromString)

    def load(
        self,
        pipeline: Config,
        weights: str | PathLike[str] | bytes | None = None,
        *,
        strict: bool = True,
    ) -> None:
        """Make `pipeline` the session's pipeline.

        Args:
            pipeline: its configuration.
            weights: a file of the server, or the content of one; None: the initial weights.
            strict: whether every parameter must be among the weights.
        """
        config = pb.PipelineConfig(config_bytes=config_bytes(pipeline))
        load = pb.LoadPipelineRequest(session_id=self.id, pipeline=config)
        self._call("LoadPipeline", load, pb.LoadPipelineResponse.FromString)
        if weights is None:
            return
        request = pb.LoadPipelineWeightsRequest(session_id=self.id, strict=strict)
        if isinstance(weights, bytes):
            request.weights_bytes = weights
        else:
            request.weights_path = str(weights)
        self._call("LoadPipelineWeights", request, pb.LoadPipelineWeightsResponse.FromString)

    def save(
        self,
        path: str | PathLike[str],
        *,
        name: str = "",
        description: str = "",
        tags: Sequence[str] = (),
    ) -> SavedPipeline:
        """Write the pipeline and its weights to files of the server.

        Args:
            path: of the YAML file; relative: below the server's output folder.
            name: of the pipeline; empty: the file's.
            description: free text.
            tags: keywords.
        """
        metadata = pb.PipelineMetadata(name=name, description=description, tags=tags)
        request = pb.SavePipelineRequest(
            session_id=self.id, pipeline_path=str(path), metadata=metadata
        )
        response = self._call("SavePipeline", request, pb.SavePipelineResponse.FromString)
        return SavedPipeline(response.pipeline_path, response.weights_path)

    def save_trainrun(self, path: str | PathLike[str], *, weights: bool = True) -> SavedTrainRun:
        """Write pipeline, data and training settings to files of the server.

        Args:
            path: of the YAML file; relative: below the server's output folder.
            weights: whether the weights are written as well.
        """
        request = pb.SaveTrainRunRequest(
            session_id=self.id, trainrun_path=str(path), save_weights=weights
        )
        response = self._call("SaveTrainRun", request, pb.SaveTrainRunResponse.FromString)
        return SavedTrainRun(response.trainrun_path, response.pipeline_path, response.weights_path)

    def restore_trainrun(
        self,
        path: str | PathLike[str],
        weights: str | PathLike[str] | None = None,
        *,
        strict: bool = True,
    ) -> ResolvedConfig:
        """Make a saved trainrun's pipeline, data and training settings those of the session.

        Args:
            path: as it was saved.
            weights: a file of the server: ``.pt``, Lightning's ``.ckpt`` or ``.safetensors``; None:
                the initial weights.
            strict: whether every parameter must be among the weights.
        """
        request = pb.RestoreTrainRunRequest(
            session_id=self.id,
            trainrun_path=str(path),
            weights_path=None if weights is None else str(weights),
            strict=strict,
        )
        response = self._call("RestoreTrainRun", request, pb.RestoreTrainRunResponse.FromString)
        return ResolvedConfig(response.trainrun.config_bytes)

    def train(self, trainer: Trainer = "statistical") -> Iterator[Progress]:
        """Train the pipeline on the data that was applied.

        Training goes on when the iteration is left early; a later call of the same kind attaches
        to it.

        Args:
            trainer: ``statistical`` or ``gradient``.

        Yields:
            What the server tells, as it comes; training begins when the first message is asked
            for. The last one has the status ``complete`` or ``cancelled``; a failure is raised.
        """
        if trainer not in _TRAINERS:
            raise ValueError(f"trainer is {trainer!r}; use one of {', '.join(_TRAINERS)}")
        request = pb.TrainRequest(session_id=self.id, trainer_type=_TRAINERS[trainer])
        stream = self._calls.stream("Train", request, pb.TrainResponse.FromString)
        with closing(stream) as messages:
            for message in messages:
                yield Progress.from_wire(message)

    def status(self) -> Progress:
        """The newest message of the session's training."""
        request = pb.GetTrainStatusRequest(session_id=self.id)
        response = self._call("GetTrainStatus", request, pb.GetTrainStatusResponse.FromString)
        return Progress.from_wire(response.latest_progress)

    def infer(
        self,
        cube: npt.ArrayLike,
        wavelengths_nm: npt.ArrayLike,
        outputs: Sequence[str] = (),
        mask: npt.ArrayLike | None = None,
    ) -> Result:
        """Run the pipeline on one cube or a batch of them.

        Args:
            cube: [H,W,C] or [B,H,W,C].
            wavelengths_nm: [C] or [B,C], sent as whole nanometres.
            outputs: which outputs to return, as ``node.port`` or as the bare port; empty: all.
                What they do not need is not computed.
            mask: classes [H,W] or [B,H,W]; None: none.

        Returns:
            The outputs, each with the batch as its first axis.

        Raises:
            ValueError: an array of an impossible shape or type; nothing was sent.
        """
        inputs = pb.InputBatch(
            cube=cube_tensor(cube), wavelengths=wavelengths_tensor(wavelengths_nm)
        )
        if mask is not None:
            inputs.mask.CopyFrom(mask_tensor(mask))
        request = pb.InferenceRequest(session_id=self.id, inputs=inputs, output_specs=outputs)
        (arrays, metrics), trace_id = self._calls.unary("Inference", request, decode_outputs)
        return Result(arrays, metrics, trace_id)

    def close(self) -> None:
        """End the session; the server frees what it holds."""
        request = pb.CloseSessionRequest(session_id=self.id)
        self._call("CloseSession", request, pb.CloseSessionResponse.FromString)

    def _call(self, method: str, request: Message, decode: Callable[[bytes], Response]) -> Response:
        response, _ = self._calls.unary(method, request, decode)
        return response
