"""One session with the server, for asyncio."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from os import PathLike
from typing import Any

from cuvis_fleet import client_plans, session_plans
from cuvis_fleet.aio.calls import AsyncCalls
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

_THREAD_PAYS_FROM_BYTES = 1024**2
"""Smaller arrays are copied in less time than an event loop may be held up."""


class AsyncSession:
    """A pipeline on the server and what belongs to it; made by `AsyncClient.session`.

    Every method raises a `CuvisFleetError` of a kind that tells what went wrong, and leaves the
    session usable. Calls that may be repeated are, as `RetryPolicy` says. The methods are those of
    `cuvis_fleet.Session`, which tells their arguments, results and errors.

    Attributes:
        id: the server's name for it.
        rejected_search_paths: folders that the server would not search.
    """

    def __init__(self, calls: AsyncCalls, memory: SharedMemory, session_id: str) -> None:
        self._calls = calls
        self._memory = memory
        self.id = session_id
        self.rejected_search_paths: tuple[str, ...] = ()

    async def set_search_paths(self, paths: Iterable[str | PathLike[str]]) -> None:
        """Have configurations and weights looked up in these folders of the server alone."""
        plan = session_plans.set_search_paths(self.id, paths)
        self.rejected_search_paths = await self._calls.run(plan)

    async def resolve(
        self, config_type: str, path: str, overrides: Sequence[str] = ()
    ) -> ResolvedConfig:
        """Compose a configuration."""
        return await self._calls.run(session_plans.resolve(self.id, config_type, path, overrides))

    async def apply(self, trainrun: Config) -> None:
        """Make a trainrun's pipeline, data and training settings those of the session."""
        await self._calls.run(session_plans.apply(self.id, trainrun))

    async def load(
        self,
        pipeline: Config,
        weights: str | PathLike[str] | bytes | None = None,
        *,
        strict: bool = True,
    ) -> None:
        """Make `pipeline` the session's pipeline."""
        await self._calls.run(session_plans.load(self.id, pipeline, weights, strict=strict))

    async def save(
        self,
        path: str | PathLike[str],
        *,
        name: str = "",
        description: str = "",
        tags: Sequence[str] = (),
    ) -> SavedPipeline:
        """Write the pipeline and its weights to files of the server."""
        return await self._calls.run(session_plans.save(self.id, path, name, description, tags))

    async def save_trainrun(
        self, path: str | PathLike[str], *, weights: bool = True
    ) -> SavedTrainRun:
        """Write pipeline, data and training settings to files of the server."""
        return await self._calls.run(session_plans.save_trainrun(self.id, path, weights=weights))

    async def restore_trainrun(
        self,
        path: str | PathLike[str],
        weights: str | PathLike[str] | None = None,
        *,
        strict: bool = True,
    ) -> ResolvedConfig:
        """Make a saved trainrun's pipeline, data and training settings those of the session."""
        plan = session_plans.restore_trainrun(self.id, path, weights, strict=strict)
        return await self._calls.run(plan)

    async def train(
        self, trainer: Trainer = "statistical", *, key: str | None = None
    ) -> AsyncIterator[Progress]:
        """Train the pipeline on the data that was applied."""
        request = session_plans.train_request(self.id, trainer)
        training = FollowedTraining(self._calls.link, request, key)
        async with aclosing(self._calls.follow(training)) as messages:
            async for message in messages:
                yield message

    async def follow(self, *, key: str | None = None) -> AsyncIterator[Progress]:
        """Follow a training from its first message, whether it goes on or has ended; begin none."""
        request = session_plans.follow_request(self.id)
        training = FollowedTraining(self._calls.link, request, key, begun=True)
        async with aclosing(self._calls.follow(training)) as messages:
            async for message in messages:
                yield message

    async def stop(self) -> str:
        """Stop the training at its next batch or node; returns what will happen, for people."""
        return await self._calls.run(session_plans.stop(self.id))

    async def status(self) -> Progress:
        """The newest message of the session's training."""
        return await self._calls.run(session_plans.status(self.id))

    async def infer(
        self,
        cube: Any = None,
        wavelengths_nm: Any = None,
        outputs: Sequence[str] = (),
        mask: Any = None,
        **more: Any,
    ) -> Result:
        """Run the pipeline on one cube or a batch of them; large arrays are copied in a thread."""
        request_of = partial(InferenceRequest.of, cube, wavelengths_nm, outputs, mask, **more)
        plan = session_plans.infer(self.id, request_of, self._memory)
        size_bytes = sum(getattr(each, "nbytes", 0) for each in (cube, mask, *more.values()))
        return await self._calls.run(plan, in_thread=size_bytes >= _THREAD_PAYS_FROM_BYTES)

    async def inputs(self) -> Mapping[str, Port]:
        """What the pipeline takes from a client, by name."""
        return await self._calls.run(session_plans.inputs(self.id))

    async def outputs(self) -> Mapping[str, Port]:
        """What the pipeline ends in, by ``node.port``."""
        return await self._calls.run(session_plans.outputs(self.id))

    async def draw(self, format: str = "png") -> bytes:
        """Draw the pipeline."""
        return await self._calls.run(client_plans.draw("", format, self.id))

    async def profile(self, on: bool = True) -> None:
        """Time the nodes of the pipeline, or no longer."""
        await self._calls.run(session_plans.profile(self.id, on=on))

    async def profile_summary(self) -> list[NodeTimes]:
        """The timings so far, one for each node and stage."""
        return await self._calls.run(session_plans.profile_summary(self.id))

    async def close(self) -> None:
        """End the session; the server frees what it holds."""
        await self._calls.run(session_plans.close(self.id))
