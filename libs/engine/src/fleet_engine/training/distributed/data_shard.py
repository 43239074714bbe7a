"""The data shard of one of several processes that fit together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, distributed

from fleet_engine.training.distributed.worker_group import WorkerGroup
from fleet_platform.errors import AppError

Sums = Mapping[str, Mapping[str, Tensor]]
"""Results of `Node.fit_sums` by node."""


@dataclass(frozen=True, slots=True)
class DataShard:
    """The shard of one process; every process of the group fits the same pipeline on its shard.

    Attributes:
        group: the group of processes, which this process has joined.
        batches: returns the batches of the shard from the beginning; called once per pass.
    """

    group: WorkerGroup
    batches: Callable[[], Iterator[Mapping[str, object]]]

    @classmethod
    def of(
        cls,
        group: WorkerGroup,
        ids: Sequence[int],
        read: Callable[[Sequence[int]], Iterator[Mapping[str, object]]],
    ) -> "DataShard":
        """Divide the measurements into consecutive shards of nearly equal length.

        Args:
            group: the group of processes.
            ids: numbers of all measurements, the same in every process.
            read: returns the batches of some measurements.
        """
        start, end = (len(ids) * rank // group.world_size for rank in (group.rank, group.rank + 1))
        own = ids[start:end]
        return cls(group, lambda: read(own) if own else iter(()))

    def gather(self, work: Callable[[], Sums]) -> list[Sums]:
        """Run the work of this process and wait for that of the others.

        Returns:
            The sums of all processes by rank, on the CPU; the same in every process.

        Raises:
            AppError: the error of the failed process with the lowest rank. A failed process raises
                its own error.
        """
        failure: Exception | None = None
        sums: Sums = {}
        try:
            sums = {
                node: {key: value.cpu() for key, value in parts.items()}
                for node, parts in work().items()
            }
        except Exception as error:  # raised again below, after all processes have been notified
            failure = error
        reported = failure
        if failure is not None and not isinstance(failure, AppError):
            reported = AppError(f"Process {self.group.rank} of {self.group.world_size} failed.")
        answers: list[Any] = [None] * self.group.world_size
        distributed.all_gather_object(answers, (reported, sums))
        if failure is not None:
            raise failure
        for remote_failure, _ in answers:
            if remote_failure is not None:
                raise remote_failure
        return [given for _, given in answers]
