"""One session with the server."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from os import PathLike
from typing import Any

from cuvis_fleet import client_plans, session_plans
from cuvis_fleet.calls import Calls
from cuvis_fleet.followed_training import FollowedTraining
from cuvis_fleet.inference_request import InferenceRequest
from cuvis_fleet.node_times import NodeTimes
from cuvis_fleet.port import Port
from cuvis_fleet.progress import Progress
from cuvis_fleet.resolved_config import Config, ResolvedConfig
from cuvis_fleet.result import Result
from cuvis_fleet.saved_pipeline import SavedPipeline
from cuvis_fleet.saved_trainrun import SavedTrainRun
from cuvis_fleet.session_plans import Trainer
from cuvis_fleet.shared_memory import SharedMemory


class Session:
    """A pipeline on the server and what belongs to it; made by `Client.session`.

    Every method raises a `CuvisFleetError` of a kind that tells what went wrong, and leaves the
    session usable. Calls that may be repeated are, as `RetryPolicy` says.

    Attributes:
        id: the server's name for it.
        rejected_search_paths: folders that the server would not search.
    """

    def __init__(self, calls: Calls, memory: SharedMemory, session_id: str) -> None:
        self._calls = calls
        self._memory = memory
        self.id = session_id
        self.rejected_search_paths: tuple[str, ...] = ()

    def set_search_paths(self, paths: Iterable[str | PathLike[str]]) -> None:
        """Have configurations and weights looked up in these folders of the server alone.

        The configurations that ship with the server are found in any case.
        """
        plan = session_plans.set_search_paths(self.id, paths)
        self.rejected_search_paths = self._calls.run(plan)

    def resolve(self, config_type: str, path: str, overrides: Sequence[str] = ()) -> ResolvedConfig:
        """Compose a configuration.

        Args:
            config_type: ``trainrun``, ``pipeline``, ``data`` or ``training``.
            path: such as ``trainrun/rx_statistical``.
            overrides: in Hydra's grammar, such as ``data.batch_size=4``.
        """
        return self._calls.run(session_plans.resolve(self.id, config_type, path, overrides))

    def apply(self, trainrun: Config) -> None:
        """Make a trainrun's pipeline, data and training settings those of the session."""
        self._calls.run(session_plans.apply(self.id, trainrun))

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
        self._calls.run(session_plans.load(self.id, pipeline, weights, strict=strict))

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
        return self._calls.run(session_plans.save(self.id, path, name, description, tags))

    def save_trainrun(self, path: str | PathLike[str], *, weights: bool = True) -> SavedTrainRun:
        """Write pipeline, data and training settings to files of the server.

        Args:
            path: of the YAML file; relative: below the server's output folder.
            weights: whether the weights are written as well.
        """
        return self._calls.run(session_plans.save_trainrun(self.id, path, weights=weights))

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
        plan = session_plans.restore_trainrun(self.id, path, weights, strict=strict)
        return self._calls.run(plan)

    def train(
        self, trainer: Trainer = "statistical", *, key: str | None = None
    ) -> Iterator[Progress]:
        """Train the pipeline on the data that was applied.

        Training goes on when the iteration is left early; a later call of the same kind attaches
        to it. Where the connection breaks, this one comes back by itself and yields each message
        once, whether the training goes on or has ended meanwhile.

        Args:
            trainer: ``statistical``, ``gradient`` or ``calibration``.
            key: a name for this training, 16 to 64 letters, digits, ``-`` or ``_``. A call with
                the key of one that was begun, in this program or another, follows that one from its
                first message, for a day after its end too; None: a new name.

        Yields:
            What the server tells, as it comes; training begins when the first message is asked
            for. The last one has the status ``complete`` or ``cancelled``; a failure is raised.
        """
        request = session_plans.train_request(self.id, trainer)
        yield from self._followed(FollowedTraining(self._calls.link, request, key))

    def follow(self, *, key: str | None = None) -> Iterator[Progress]:
        """Follow a training from its first message, whether it goes on or has ended; begin none.

        Args:
            key: that it was begun with; None: the session's newest training.

        Yields:
            As `train` does.

        Raises:
            NotFound: there is none, or it ended more than a day ago.
        """
        request = session_plans.follow_request(self.id)
        yield from self._followed(FollowedTraining(self._calls.link, request, key, begun=True))

    def stop(self) -> str:
        """Stop the training at its next batch or node; returns what will happen, for people.

        Where none runs, the next one is cancelled, unless a trainrun is applied before.
        """
        return self._calls.run(session_plans.stop(self.id))

    def status(self) -> Progress:
        """The newest message of the session's training."""
        return self._calls.run(session_plans.status(self.id))

    def infer(
        self,
        cube: Any = None,
        wavelengths_nm: Any = None,
        outputs: Sequence[str] = (),
        mask: Any = None,
        **more: Any,
    ) -> Result:
        """Run the pipeline on one cube or a batch of them.

        Arrays are numpy's, or torch's on any device. A server on the same host gets large ones
        through shared memory.

        Args:
            cube: [H,W,C] or [B,H,W,C].
            wavelengths_nm: [C] or [B,C], sent as whole nanometres.
            outputs: which outputs to return, as ``node.port`` or as the bare port; empty: all.
                What they do not need is not computed.
            mask: classes [H,W] or [B,H,W]; None: none.
            more: ``bboxes`` (of `Box`), ``points`` (of `Point`), ``text``, ``rgb_image`` [H,W,3] or
                [B,H,W,3], ``frame_id`` and ``mesu_index`` (a number or [B]); any other name is that
                of a port of the pipeline, and its value an array.

        Returns:
            The outputs, each with the batch as its first axis.

        Raises:
            WrongArgument: an array of an impossible shape or type, or wavelengths that do not fit
                the cube; nothing was sent.
        """
        request_of = partial(InferenceRequest.of, cube, wavelengths_nm, outputs, mask, **more)
        return self._calls.run(session_plans.infer(self.id, request_of, self._memory))

    def inputs(self) -> Mapping[str, Port]:
        """What the pipeline takes from a client, by name."""
        return self._calls.run(session_plans.inputs(self.id))

    def outputs(self) -> Mapping[str, Port]:
        """What the pipeline ends in, by ``node.port``."""
        return self._calls.run(session_plans.outputs(self.id))

    def draw(self, format: str = "png") -> bytes:
        """Draw the pipeline.

        Args:
            format: ``png``, ``svg``, ``dot`` or ``mermaid``.
        """
        return self._calls.run(client_plans.draw("", format, self.id))

    def profile(self, on: bool = True) -> None:
        """Time the nodes of the pipeline, or no longer."""
        self._calls.run(session_plans.profile(self.id, on=on))

    def profile_summary(self) -> list[NodeTimes]:
        """The timings so far, one for each node and stage."""
        return self._calls.run(session_plans.profile_summary(self.id))

    def close(self) -> None:
        """End the session; the server frees what it holds."""
        self._calls.run(session_plans.close(self.id))

    def _followed(self, training: FollowedTraining) -> Iterator[Progress]:
        with closing(self._calls.follow(training)) as messages:
            yield from messages
