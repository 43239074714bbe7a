"""Batches of a split for each epoch of the training loop."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch import Tensor

from fleet_engine.data import Measurements, batches


class EpochBatches:
    """An iterable over the batches of a split, with a separate order for each epoch.

    The order of an epoch depends only on the seed and the epoch, so that a training that is resumed
    in another process sees the same measurements in the same order. Each of several processes reads
    every `world_size`-th measurement of that order. If shuffled, as for training, all processes
    read the same number of measurements, some of which are repeated if necessary. Without
    shuffling, as for validation, none is repeated, unless there are fewer measurements than
    processes; then each process reads all of them.

    Attributes:
        total: measurements that this process reads in an epoch.
    """

    def __init__(
        self,
        measurements: Measurements,
        ids: Sequence[int],
        batch_size: int,
        *,
        shuffle_seed: int | None = None,
        epoch: Callable[[], int] = lambda: 0,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        """Create the iterable; nothing is read before the iteration.

        Args:
            measurements: the measurements to read from.
            ids: numbers of the measurements.
            batch_size: measurements per batch.
            shuffle_seed: determines the order together with the epoch; None: the order of `ids`.
            epoch: returns the epoch when an iteration begins.
            rank: number of this process.
            world_size: number of processes that work on the split.
        """
        self._measurements = measurements
        self._ids = list(ids)
        self._batch_size = batch_size
        self._shuffle_seed = shuffle_seed
        self._epoch = epoch
        self._rank = rank
        self._world_size = world_size
        self.total = len(self._own(list(self._ids)))

    def __len__(self) -> int:
        return math.ceil(self.total / self._batch_size)

    def measurements_in(self, batch_count: int) -> int:
        """Return the number of measurements in the first `batch_count` batches of an epoch."""
        return min(self.total, batch_count * self._batch_size)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        own = self._own(self._order(self._epoch()))
        yield from batches(self._measurements, own, self._batch_size)

    def _own(self, order: list[int]) -> list[int]:
        if self._shuffle_seed is not None:
            missing = -len(order) % self._world_size
            order = list(itertools.islice(itertools.cycle(order), len(order) + missing))
        elif len(order) < self._world_size:
            return order
        return order[self._rank :: self._world_size]

    def _order(self, epoch: int) -> list[int]:
        if self._shuffle_seed is None:
            return self._ids
        generator = np.random.default_rng((self._shuffle_seed, epoch))
        return [self._ids[i] for i in generator.permutation(len(self._ids)).tolist()]
