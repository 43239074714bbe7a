"""The part of the training data that one of several fitting processes reads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, distributed

from fleet_engine.training.distributed.worker_group import WorkerGroup
from fleet_platform.errors import AppError

Sums = Mapping[str, Mapping[str, Tensor]]
"""What `Node.fit_sums` gave, by node."""


@dataclass(frozen=True, slots=True)
class DataShard:
    """One process's part; every process of the group fits the same pipeline with its own part.

    Attributes:
        group: the processes; this one has joined it.
        batches: gives the part's data from its beginning; called once for each pass.
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
        """Give each process a run of consecutive measurements, as equal in length as can be.

        Args:
            group: the processes.
            ids: numbers of all measurements, the same in every process.
            read: gives the batches of some of them.
        """
        start, end = (len(ids) * rank // group.world_size for rank in (group.rank, group.rank + 1))
        own = ids[start:end]
        return cls(group, lambda: read(own) if own else iter(()))

    def gather(self, work: Callable[[], Sums]) -> list[Sums]:
        """Do this process's part of the work and wait until the others have done theirs.

        Returns:
            The sums of all processes by rank, on the CPU; the same everywhere.

        Raises:
            AppError: the first process that failed, by rank, failed so; in that process, whatever
                was raised.
        """
        failure: Exception | None = None
        sums: Sums = {}
        try:
            sums = {
                node: {key: value.cpu() for key, value in parts.items()}
                for node, parts in work().items()
            }
        except Exception as error:  # raised again below, when all have heard of it
            failure = error
        told = failure
        if failure is not None and not isinstance(failure, AppError):
            told = AppError(f"Process {self.group.rank} of {self.group.world_size} failed.")
        answers: list[Any] = [None] * self.group.world_size
        distributed.all_gather_object(answers, (told, sums))
        if failure is not None:
            raise failure
        for heard, _ in answers:
            if heard is not None:
                raise heard
        return [given for _, given in answers]
