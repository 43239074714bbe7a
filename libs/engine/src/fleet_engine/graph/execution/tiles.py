"""Cuts the pixels of a run into tiles and puts the tiles' results together.

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
"""Size of a tile's widest float32 values by device type. On a CPU, what one node leaves is still in
the cache when the next one reads it, and the allocator hands the same few blocks round; on a GPU, a
tile is large enough to fill the device."""

_PART_FACTOR = 2
"""Where torch splits each operation over several threads, each thread's part is this many such
tiles: less does not make up for waking the thread."""

LEAST_PIXELS = 256
"""A tile never has fewer rows, because matrix products of a handful of rows round differently; so
a pixel's result does not depend on how many pixels came with it."""

MAX_RESULT_BYTES = 8 * 1024**3
"""Bound on what all tiles of a run leave behind together. A node may make thousands of values of
each pixel; a host that such a request takes all memory of is killed, and not only the request."""

_FLOAT32_BYTES = 4

Values = dict[str, Any]


class Tiles:
    """The pixels of one run.

    A tile keeps the rank of its inputs: [B, H, W, ...] becomes [1, 1, pixels of the tile, ...].
    """

    def __init__(self, inputs: Mapping[str, Tensor], *, exact: bool, width: int = 1) -> None:
        """Lay the inputs out along one axis of pixels.

        Args:
            inputs: tensors by key, all of the same [B, H, W].
            exact: each pixel occurs in one tile, once. Else pixels are repeated where a tile would
                be too small.
            width: values of one pixel that the computation holds at a time, where they are more
                than those of an input.
        """
        first = next(iter(inputs.values()))
        self._extent_BHW = first.shape[:3]
        self._device = first.device.type
        self.pixels = self._extent_BHW.numel()
        self._width = width
        self._least = 1 if exact else LEAST_PIXELS
        self._flat = {
            key: self._lengthened(value.reshape(1, 1, self.pixels, *value.shape[3:]))
            for key, value in inputs.items()
        }

    def spans(self) -> list[tuple[int, int]]:
        """Start and length of each tile; a last one that is too short reaches back."""
        whole = max(self.pixels, self._least)
        size = self._tile_pixels()
        return [
            (whole - self._least, self._least)
            if whole - start < self._least
            else (start, min(size, whole - start))
            for start in range(0, whole, size)
        ]

    def cut(self, start: int, length: int) -> Values:
        """The inputs of one tile."""
        return {key: value.narrow(2, start, length) for key, value in self._flat.items()}

    def run(
        self, compute: Callable[[Values], None], keys: tuple[str, ...], *, shareable: bool
    ) -> tuple[Values, Values]:
        """Compute all tiles.

        Args:
            compute: computes a tile in place: takes its inputs and adds its outputs.
            keys: outputs that run along the pixels and are wanted; one that the first tile does not
                give is left out.
            shareable: several threads may compute tiles at a time.

        Returns:
            The wanted outputs as [B, H, W, ...], and all values of the first tile.

        Raises:
            Exhausted: the wanted outputs take more than `MAX_RESULT_BYTES`.
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

        if shareable and self._device == "cpu":
            run_on_pool(work, len(spans) - 1)
        else:
            work()
        return {key: self._restored(whole) for key, whole in results.items()}, first

    def _refuse_too_large(self, parts: list[Tensor]) -> None:
        size_bytes = self.pixels * sum(part[0, 0, 0].nbytes for part in parts)
        if size_bytes > MAX_RESULT_BYTES:
            raise Exhausted(
                f"The results for {self.pixels} pixels take {size_bytes} bytes; at most "
                f"{MAX_RESULT_BYTES} are held at a time. Send fewer or smaller measurements at "
                "once, or request fewer outputs."
            )

    def _tile_pixels(self) -> int:
        """Pixels of a tile, a multiple of `LEAST_PIXELS`."""
        channels = max(self._width, *(math.prod(value.shape[3:]) for value in self._flat.values()))
        size_bytes = TILE_SIZE_BYTES.get(self._device, TILE_SIZE_BYTES["cpu"])
        if self._device == "cpu" and (threads := torch.get_num_threads()) > 1:
            size_bytes *= _PART_FACTOR * threads
        return LEAST_PIXELS * max(size_bytes // (_FLOAT32_BYTES * channels * LEAST_PIXELS), 1)

    def _lengthened(self, value: Tensor) -> Tensor:
        """Repeat the last pixel until there are enough for a tile."""
        missing = self._least - self.pixels
        if missing <= 0:
            return value
        last = value.narrow(2, self.pixels - 1, 1)
        return torch.cat((value, last.expand(1, 1, missing, *value.shape[3:])), dim=2)

    def _restored(self, value: Tensor) -> Tensor:
        return value.reshape(*self._extent_BHW, *value.shape[3:])
