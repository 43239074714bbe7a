"""The batches of one split as the training loop takes them, epoch by epoch."""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch import Tensor

from fleet_engine.data import Measurements, batches


class EpochBatches:
    """Iterable over the batches of a split; each epoch starts over, in an order of its own.

    The order of an epoch follows from seed and epoch alone, so that a training that is taken up in
    another process sees the same measurements in the same order. Of several processes each reads
    every `world_size`-th measurement of that order. Shuffled, as for training, all get the same
    number, so that some measurements are repeated where it does not divide; in order, as for
    validation, none is, unless there are fewer measurements than processes: then each reads all.

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
        """Take the parts; nothing is read before the iteration.

        Args:
            measurements: what to read from.
            ids: numbers of the measurements.
            batch_size: how many to a batch.
            shuffle_seed: the order follows from it and the epoch; None: the order of `ids`.
            epoch: tells the epoch when an iteration begins.
            rank: which of the processes this is.
            world_size: how many processes share the split.
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
        """How many measurements the first `batch_count` batches of an epoch hold."""
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
