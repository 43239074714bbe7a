"""Batches of measurements. Shape letters: B batch, H height, W width, C bands."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import islice

import numpy as np
import torch

from fleet_engine.data.measurement import Measurement
from fleet_engine.data.measurements import Measurements
from fleet_engine.data.read_ahead import read_ahead
from fleet_platform.errors import InvalidInput


def batches(
    measurements: Measurements, ids: Sequence[int], batch_size: int
) -> Generator[dict[str, torch.Tensor]]:
    """Read measurements in the order of `ids`, `batch_size` at a time; the last batch may be short.

    The numbers are checked immediately. The files are read when batches are requested, or slightly
    earlier: at most `measurements.read_ahead` measurements are in memory, in addition to the last
    batch and the one being assembled.

    Args:
        measurements: the measurements to read from.
        ids: numbers of the measurements.
        batch_size: measurements per batch, at least 1.

    Returns:
        Batches of cube_BHWC (as stored), wavelengths int32 [B,C] in nm, mesu_index int64 [B] and,
        if the measurements are labelled, mask_BHW int32; all on the CPU. Reading ends when the
        generator is closed or exhausted.

    Raises:
        InvalidInput: `ids` is empty or names a measurement that does not exist. While iterating: a
            measurement cannot be read or contains values that are not finite, or the measurements
            of a batch differ in size.
    """
    ids = list(ids)
    measurements.check_ids(ids)
    return _read(measurements, ids, batch_size)


def _read(
    measurements: Measurements, ids: list[int], batch_size: int
) -> Generator[dict[str, torch.Tensor]]:
    with closing(read_ahead(measurements.load, ids, measurements.read_ahead)) as loaded:
        for start in range(0, len(ids), batch_size):
            chosen = ids[start : start + batch_size]
            yield _collate(chosen, islice(loaded, len(chosen)))


def _collate(ids: list[int], frames: Iterator[Measurement]) -> dict[str, torch.Tensor]:
    """Assemble a batch, releasing each measurement as soon as it is copied."""
    first = next(frames)
    shape = first.cube_HWC.shape
    wavelengths_nm, masks = [first.wavelengths_nm], [first.mask_HW]
    # A single cube needs no copy.
    cube_BHWC = first.cube_HWC[None]
    if len(ids) > 1:
        cube_BHWC = np.empty((len(ids), *shape), first.cube_HWC.dtype)
        cube_BHWC[0] = first.cube_HWC
        del first
    for place, frame in enumerate(frames, start=1):
        if frame.cube_HWC.shape != shape:
            raise InvalidInput(
                f"Measurements {ids[0]} and {ids[place]} differ in size, {shape} and "
                f"{frame.cube_HWC.shape} (height, width, bands), and cannot share a batch; "
                "set data.batch_size to 1."
            )
        cube_BHWC[place] = frame.cube_HWC
        wavelengths_nm.append(frame.wavelengths_nm)
        masks.append(frame.mask_HW)
    batch = {
        "cube": torch.from_numpy(cube_BHWC),
        "wavelengths": torch.from_numpy(np.rint(np.stack(wavelengths_nm)).astype(np.int32)),
        "mesu_index": torch.tensor(ids, dtype=torch.int64),
    }
    labelled = [mask_HW for mask_HW in masks if mask_HW is not None]
    if len(labelled) == len(ids):
        batch["mask"] = torch.from_numpy(np.stack(labelled))
    return batch
