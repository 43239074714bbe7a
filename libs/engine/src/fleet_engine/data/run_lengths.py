"""Run lengths of the COCO format.

pycocotools 2.0.11 is not used, because it leaves pixels beyond the end of a short encoding
uninitialised, so that a training would use garbage.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

_FIRST_CHARACTER = ord("0")
_MAX_SHIFT = 30


def decode_run_lengths(
    counts: Sequence[int] | str, shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """Return which pixels of an image are inside.

    Args:
        counts: lengths of alternating runs outside and inside, column by column from the left, as a
            list or a compressed string.
        shape: height and width of the image.

    Raises:
        ValueError: the runs are malformed or do not add up to the image.
    """
    runs = _decompress(counts) if isinstance(counts, str) else list(counts)
    if any(run < 0 for run in runs) or sum(runs) != shape[0] * shape[1]:
        raise ValueError("run lengths do not add up to the image.")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(shape, order="F")


def _decompress(text: str) -> list[int]:
    """Decode runs of five bits per character, lowest first.

    From the fourth on, a run is stored as the difference from the run two positions before it.
    """
    runs: list[int] = []
    run = shift = 0
    for character in text:
        bits = ord(character) - _FIRST_CHARACTER
        if not 0 <= bits < 64 or shift > _MAX_SHIFT:
            raise ValueError("run lengths are not in the compressed form of COCO.")
        run |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            run -= 1 << shift
        runs.append(run + (runs[-2] if len(runs) > 2 else 0))
        run = shift = 0
    if shift:
        raise ValueError("run lengths are truncated.")
    return runs
