"""An asyncio session with the server."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from os import PathLike
from typing import Any

from cuvis_fleet.aio.runner import AsyncOperationRunner
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

_MIN_THREAD_BYTES = 1024**2
"""Copying smaller arrays does not block the event loop for long."""


class AsyncSession:
    """A session on the server: a pipeline with its data and training.

    Created by `AsyncClient.session`. Every method raises a `CuvisFleetError` subclass that names
    the kind of failure, and leaves the session usable. Calls that are safe to repeat are repeated
    according to `RetryPolicy`. The methods are those of `cuvis_fleet.Session`, which documents
    their arguments, results and errors.

    Attributes:
        id: the session's id on the server.
        rejected_search_paths: folders that the server refused to search.
    """

    def __init__(self, runner: AsyncOperationRunner, memory: SharedMemory, session_id: str) -> None:
        self._runner = runner
        self._memory = memory
        self.id = session_id
        self.rejected_search_paths: tuple[str, ...] = ()

    async def set_search_paths(self, paths: Iterable[str | PathLike[str]]) -> None:
        """Set the server folders in which configurations and weights are looked up."""
        operation = session_operations.set_search_paths(self.id, paths)
        self.rejected_search_paths = await self._runner.run(operation)

    async def resolve(
        self, config_type: str, path: str, overrides: Sequence[str] = ()
    ) -> ResolvedConfig:
        """Compose a configuration."""
        return await self._runner.run(
            session_operations.resolve(self.id, config_type, path, overrides)
        )

    async def apply(self, trainrun: Config) -> None:
        """Apply a trainrun: use its pipeline, data and training settings in the session."""
        await self._runner.run(session_operations.apply(self.id, trainrun))

    async def load(
        self,
        pipeline: Config,
        weights: str | PathLike[str] | bytes | None = None,
        *,
        strict: bool = True,
    ) -> None:
        """Load a pipeline into the session."""
        await self._runner.run(session_operations.load(self.id, pipeline, weights, strict=strict))

    async def save(
        self,
        path: str | PathLike[str],
        *,
        name: str = "",
        description: str = "",
        tags: Sequence[str] = (),
    ) -> SavedPipeline:
        """Write the pipeline and its weights to files on the server."""
        return await self._runner.run(
            session_operations.save(self.id, path, name, description, tags)
        )

    async def save_trainrun(
        self, path: str | PathLike[str], *, weights: bool = True
    ) -> SavedTrainRun:
        """Write the pipeline, data and training settings to files on the server."""
        return await self._runner.run(
            session_operations.save_trainrun(self.id, path, weights=weights)
        )

    async def restore_trainrun(
        self,
        path: str | PathLike[str],
        weights: str | PathLike[str] | None = None,
        *,
        strict: bool = True,
    ) -> ResolvedConfig:
        """Restore a saved trainrun: use its pipeline, data and training settings in the session."""
        operation = session_operations.restore_trainrun(self.id, path, weights, strict=strict)
        return await self._runner.run(operation)

    async def train(
        self, trainer: Trainer = "statistical", *, key: str | None = None
    ) -> AsyncIterator[Progress]:
        """Train the pipeline on the data of the applied trainrun."""
        request = session_operations.train_request(self.id, trainer)
        training = FollowedTraining(self._runner.policy, request, key)
        async with aclosing(self._runner.follow(training)) as messages:
            async for message in messages:
                yield message

    async def follow(self, *, key: str | None = None) -> AsyncIterator[Progress]:
        """Follow a running or finished training run from its first message; never start one."""
        request = session_operations.follow_request(self.id)
        training = FollowedTraining(self._runner.policy, request, key, started=True)
        async with aclosing(self._runner.follow(training)) as messages:
            async for message in messages:
                yield message

    async def stop(self) -> str:
        """Stop the training at its next batch or node; return the server's message about it."""
        return await self._runner.run(session_operations.stop(self.id))

    async def status(self) -> Progress:
        """Return the newest message of the session's training."""
        return await self._runner.run(session_operations.status(self.id))

    async def infer(
        self,
        cube: Any = None,
        wavelengths_nm: Any = None,
        outputs: Sequence[str] = (),
        mask: Any = None,
        **more: Any,
    ) -> Result:
        """Run the pipeline on a cube or a batch of cubes; large arrays are copied in a thread."""
        request_of = partial(InferenceRequest.of, cube, wavelengths_nm, outputs, mask, **more)
        operation = infer(self.id, request_of, self._memory)
        size_bytes = sum(getattr(each, "nbytes", 0) for each in (cube, mask, *more.values()))
        return await self._runner.run(operation, in_thread=size_bytes >= _MIN_THREAD_BYTES)

    async def inputs(self) -> Mapping[str, Port]:
        """Return the inputs of the pipeline, by name."""
        return await self._runner.run(session_operations.inputs(self.id))

    async def outputs(self) -> Mapping[str, Port]:
        """Return the outputs of the pipeline, by ``node.port``."""
        return await self._runner.run(session_operations.outputs(self.id))

    async def draw(self, format: str = "png") -> bytes:
        """Draw the pipeline."""
        return await self._runner.run(client_operations.draw("", format, self.id))

    async def profile(self, on: bool = True) -> None:
        """Turn the timing of the pipeline's nodes on or off."""
        await self._runner.run(session_operations.profile(self.id, on=on))

    async def profile_summary(self) -> list[NodeTimes]:
        """Return the timings so far, one for each node and stage."""
        return await self._runner.run(session_operations.profile_summary(self.id))

    async def close(self) -> None:
        """Close the session; the server releases its resources."""
        await self._runner.run(session_operations.close(self.id))
