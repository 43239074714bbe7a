"""Splits the pixels of a run into tiles and combines the results.

Shape letters: B measurements, H rows, W columns, N = B*H*W pixels.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from fleet_engine.graph.execution.tile_threads import run_on_pool
from fleet_platform.errors import Exhausted

TILE_SIZE_BYTES = {"cpu": 1 << 20, "cuda": 1 << 26}
"""Size of the widest float32 values of a tile by device type. On a CPU, the output of one node is
still in the cache when the next one reads it, and the allocator reuses the same few blocks; on a
GPU, a tile is large enough to occupy the device."""

_PART_FACTOR = 2
"""If torch splits each operation over several threads, the part of each thread is this many tiles;
smaller parts do not justify waking a thread."""

MIN_PIXELS = 256
"""Minimum number of rows of a tile. Matrix products of a few rows round differently; with this
minimum, the result of a pixel does not depend on the number of other pixels."""

MAX_RESULT_BYTES = 8 * 1024**3
"""Limit on the results of all tiles of a run together. A node may compute thousands of values for
each pixel, and a request that uses up all memory would terminate the whole process."""

_FLOAT32_BYTES = 4

Values = dict[str, Any]


class Tiles:
    """The pixels of one run.

    A tile keeps the rank of its inputs: [B, H, W, ...] becomes [1, 1, pixels of the tile, ...].
    """

    def __init__(self, inputs: Mapping[str, Tensor], *, exact: bool, width: int = 1) -> None:
        """Flatten the inputs along one axis of pixels.

        Args:
            inputs: tensors by key, all of the same [B, H, W].
            exact: each pixel occurs in exactly one tile. Otherwise pixels are repeated if a tile
                would be too small.
            width: number of values that the computation holds for a pixel, if it exceeds that of
                the inputs.
        """
        first = next(iter(inputs.values()))
        self._extent_BHW = first.shape[:3]
        self._device = first.device.type
        self.pixels = self._extent_BHW.numel()
        self._width = width
        self._min_pixels = 1 if exact else MIN_PIXELS
        self._flat = {
            key: self._lengthened(value.reshape(1, 1, self.pixels, *value.shape[3:]))
            for key, value in inputs.items()
        }

    def spans(self) -> list[tuple[int, int]]:
        """Return start and length of each tile; a too short last tile overlaps the previous."""
        whole = max(self.pixels, self._min_pixels)
        size = self._tile_pixels()
        return [
            (whole - self._min_pixels, self._min_pixels)
            if whole - start < self._min_pixels
            else (start, min(size, whole - start))
            for start in range(0, whole, size)
        ]

    def cut(self, start: int, length: int) -> Values:
        """Return the inputs of one tile."""
        return {key: value.narrow(2, start, length) for key, value in self._flat.items()}

    def run(
        self, compute: Callable[[Values], None], keys: tuple[str, ...], *, parallel: bool
    ) -> tuple[Values, Values]:
        """Compute all tiles.

        Args:
            compute: computes a tile in place by adding its outputs to its inputs.
            keys: requested outputs that run along the pixels; outputs that the first tile does not
                produce are omitted.
            parallel: several threads may compute tiles concurrently.

        Returns:
            The requested outputs as [B, H, W, ...], and all values of the first tile.

        Raises:
            Exhausted: the requested outputs need more than `MAX_RESULT_BYTES`.
        """
        spans = self.spans()
        first = self.cut(*spans[0])
        compute(first)
        present = [key for key in keys if key in first]
        if len(spans) == 1:
            return {key: self._restored(first[key][:, :, : self.pixels]) for key in present}, first
        self._refuse_too_large([first[key] for key in present])
        results = {
            key: first[key].new_empty((1, 1, self.pixels, *first[key].shape[3:])) for key in present
        }

        def place(tile: Values, start: int, length: int) -> None:
            for key, whole in results.items():
                whole.narrow(2, start, length).copy_(tile[key])

        place(first, *spans[0])
        supply = iter(spans[1:])

        def work() -> None:
            with torch.inference_mode():
                for start, length in supply:
                    tile = self.cut(start, length)
                    compute(tile)
                    place(tile, start, length)

        if parallel and self._device == "cpu":
            run_on_pool(work, len(spans) - 1)
        else:
            work()
        return {key: self._restored(whole) for key, whole in results.items()}, first

    def _refuse_too_large(self, parts: list[Tensor]) -> None:
        size_bytes = self.pixels * sum(part[0, 0, 0].nbytes for part in parts)
        if size_bytes > MAX_RESULT_BYTES:
            raise Exhausted(
                f"The results for {self.pixels} pixels need {size_bytes} bytes; at most "
                f"{MAX_RESULT_BYTES} are available for a run. Send fewer or smaller measurements "
                "at once, or request fewer outputs."
            )

    def _tile_pixels(self) -> int:
        """Return the number of pixels of a tile, a multiple of `MIN_PIXELS`."""
        channels = max(self._width, *(math.prod(value.shape[3:]) for value in self._flat.values()))
        size_bytes = TILE_SIZE_BYTES.get(self._device, TILE_SIZE_BYTES["cpu"])
        if self._device == "cpu" and (threads := torch.get_num_threads()) > 1:
            size_bytes *= _PART_FACTOR * threads
        return MIN_PIXELS * max(size_bytes // (_FLOAT32_BYTES * channels * MIN_PIXELS), 1)

    def _lengthened(self, value: Tensor) -> Tensor:
        """Repeat the last pixel to reach the minimum size of a tile."""
        missing = self._min_pixels - self.pixels
        if missing <= 0:
            return value
        last = value.narrow(2, self.pixels - 1, 1)
        return torch.cat((value, last.expand(1, 1, missing, *value.shape[3:])), dim=2)

    def _restored(self, value: Tensor) -> Tensor:
        return value.reshape(*self._extent_BHW, *value.shape[3:])
