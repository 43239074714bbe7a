"""A session with the server."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from os import PathLike
from typing import Any

from cuvis_fleet.inference.infer import infer
from cuvis_fleet.inference.request import InferenceRequest
from cuvis_fleet.inference.shared_memory import SharedMemory
from cuvis_fleet.models.node_times import NodeTimes
from cuvis_fleet.models.port import Port
from cuvis_fleet.models.progress import Progress
from cuvis_fleet.models.resolved_config import Config, ResolvedConfig
from cuvis_fleet.models.result import Result
from cuvis_fleet.models.saved_pipeline import SavedPipeline
from cuvis_fleet.models.saved_trainrun import SavedTrainRun
from cuvis_fleet.operations import client_operations, session_operations
from cuvis_fleet.operations.session_operations import Trainer
from cuvis_fleet.transport.followed_training import FollowedTraining
from cuvis_fleet.transport.runner import OperationRunner


class Session:
    """A session on the server: a pipeline with its data and training; created by `Client.session`.

    On failure, every method raises a `CuvisFleetError` subclass that names the kind of failure, and
    leaves the session usable. Calls that are safe to repeat follow `RetryPolicy`.

    Attributes:
        id: the session's id on the server.
        rejected_search_paths: folders that the server refused to search.
    """

    def __init__(self, runner: OperationRunner, memory: SharedMemory, session_id: str) -> None:
        self._runner = runner
        self._memory = memory
        self.id = session_id
        self.rejected_search_paths: tuple[str, ...] = ()

    def set_search_paths(self, paths: Iterable[str | PathLike[str]]) -> None:
        """Set the server folders in which configurations and weights are looked up.

        The configurations that ship with the server are always found.
        """
        operation = session_operations.set_search_paths(self.id, paths)
        self.rejected_search_paths = self._runner.run(operation)

    def resolve(self, config_type: str, path: str, overrides: Sequence[str] = ()) -> ResolvedConfig:
        """Compose a configuration.

        Args:
            config_type: ``trainrun``, ``pipeline``, ``data`` or ``training``.
            path: path of the configuration, such as ``trainrun/rx_statistical``.
            overrides: overrides in Hydra's grammar, such as ``data.batch_size=4``.
        """
        return self._runner.run(session_operations.resolve(self.id, config_type, path, overrides))

    def apply(self, trainrun: Config) -> None:
        """Apply a trainrun: use its pipeline, data and training settings in the session."""
        self._runner.run(session_operations.apply(self.id, trainrun))

    def load(
        self,
        pipeline: Config,
        weights: str | PathLike[str] | bytes | None = None,
        *,
        strict: bool = True,
    ) -> None:
        """Load a pipeline into the session.

        Args:
            pipeline: configuration of the pipeline.
            weights: a weights file on the server, or the content of one; None: the initial weights.
            strict: whether the weights must contain every parameter.
        """
        self._runner.run(session_operations.load(self.id, pipeline, weights, strict=strict))

    def save(
        self,
        path: str | PathLike[str],
        *,
        name: str = "",
        description: str = "",
        tags: Sequence[str] = (),
    ) -> SavedPipeline:
        """Write the pipeline and its weights to files on the server.

        Args:
            path: path of the YAML file; relative paths are below the server's output folder.
            name: name of the pipeline; empty: the file's name.
            description: free text.
            tags: keywords.
        """
        return self._runner.run(session_operations.save(self.id, path, name, description, tags))

    def save_trainrun(self, path: str | PathLike[str], *, weights: bool = True) -> SavedTrainRun:
        """Write the pipeline, data and training settings to files on the server.

        Args:
            path: path of the YAML file; relative paths are below the server's output folder.
            weights: whether to write the weights, too.
        """
        return self._runner.run(session_operations.save_trainrun(self.id, path, weights=weights))

    def restore_trainrun(
        self,
        path: str | PathLike[str],
        weights: str | PathLike[str] | None = None,
        *,
        strict: bool = True,
    ) -> ResolvedConfig:
        """Restore a saved trainrun: use its pipeline, data and training settings in the session.

        Args:
            path: the path that it was saved under.
            weights: a file on the server: ``.pt``, Lightning's ``.ckpt`` or ``.safetensors``; None:
                the initial weights.
            strict: whether the weights must contain every parameter.
        """
        operation = session_operations.restore_trainrun(self.id, path, weights, strict=strict)
        return self._runner.run(operation)

    def train(
        self, trainer: Trainer = "statistical", *, key: str | None = None
    ) -> Iterator[Progress]:
        """Train the pipeline on the data of the applied trainrun.

        Training continues when the iteration stops early; a later call of the same kind attaches
        to it. If the connection breaks, this call reconnects and yields each message once, even if
        the training has ended in the meantime.

        Args:
            trainer: ``statistical``, ``gradient`` or ``calibration``.
            key: identifies this training: 16 to 64 letters, digits, ``-`` or ``_``. A call with the
                key of a training that has started, in this program or another, follows that
                training from its first message, until a day after its end; None: a new key.

        Yields:
            The server's messages as they arrive; training starts when the first message is
            requested. The last message has the status ``complete`` or ``cancelled``; a failure is
            raised.
        """
        request = session_operations.train_request(self.id, trainer)
        yield from self._followed(FollowedTraining(self._runner.policy, request, key))

    def follow(self, *, key: str | None = None) -> Iterator[Progress]:
        """Follow a running or finished training run from its first message; never start one.

        Args:
            key: the key that it was started with; None: the session's newest training.

        Yields:
            The same messages as `train`.

        Raises:
            NotFound: the training does not exist, or it ended more than a day ago.
        """
        request = session_operations.follow_request(self.id)
        yield from self._followed(FollowedTraining(self._runner.policy, request, key, started=True))

    def stop(self) -> str:
        """Stop the training at its next batch or node; return the server's message about it.

        If no training is running, the next one is cancelled, unless a trainrun is applied first.
        """
        return self._runner.run(session_operations.stop(self.id))

    def status(self) -> Progress:
        """Return the newest message of the session's training."""
        return self._runner.run(session_operations.status(self.id))

    def infer(
        self,
        cube: Any = None,
        wavelengths_nm: Any = None,
        outputs: Sequence[str] = (),
        mask: Any = None,
        **more: Any,
    ) -> Result:
        """Run the pipeline on a cube or a batch of cubes.

        Arrays are NumPy arrays, or torch tensors on any device. A server on the same host receives
        large arrays through shared memory.

        Args:
            cube: [H,W,C] or [B,H,W,C].
            wavelengths_nm: [C] or [B,C], sent as whole nanometres.
            outputs: the outputs to return, as ``node.port`` or just the port; empty: all. Nodes
                that they do not need are not run.
            mask: classes [H,W] or [B,H,W]; None: no mask.
            more: ``bboxes`` (of `Box`), ``points`` (of `Point`), ``text``, ``rgb_image`` [H,W,3] or
                [B,H,W,3], ``frame_id`` and ``mesu_index`` (a number or [B]); any other name is
                a port of the pipeline, and its value an array.

        Returns:
            The outputs, each with the batch as its first axis.

        Raises:
            WrongArgument: an array has an unsupported shape or type, or the wavelengths do not fit
                the cube; nothing was sent.
        """
        request_of = partial(InferenceRequest.of, cube, wavelengths_nm, outputs, mask, **more)
        return self._runner.run(infer(self.id, request_of, self._memory))

    def inputs(self) -> Mapping[str, Port]:
        """Return the inputs of the pipeline, by name."""
        return self._runner.run(session_operations.inputs(self.id))

    def outputs(self) -> Mapping[str, Port]:
        """Return the outputs of the pipeline, by ``node.port``."""
        return self._runner.run(session_operations.outputs(self.id))

    def draw(self, format: str = "png") -> bytes:
        """Draw the pipeline.

        Args:
            format: ``png``, ``svg``, ``dot`` or ``mermaid``.
        """
        return self._runner.run(client_operations.draw("", format, self.id))

    def profile(self, on: bool = True) -> None:
        """Turn the timing of the pipeline's nodes on or off."""
        self._runner.run(session_operations.profile(self.id, on=on))

    def profile_summary(self) -> list[NodeTimes]:
        """Return the timings so far, one for each node and stage."""
        return self._runner.run(session_operations.profile_summary(self.id))

    def close(self) -> None:
        """Close the session; the server releases its resources."""
        self._runner.run(session_operations.close(self.id))

    def _followed(self, training: FollowedTraining) -> Iterator[Progress]:
        with closing(self._runner.follow(training)) as messages:
            yield from messages
