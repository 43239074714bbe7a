"""Batches of measurements. Shape letters: B batch, H height, W width, C bands."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from fleet_engine.data.measurement import Measurement
from fleet_engine.data.measurements import Measurements
from fleet_platform.errors import InvalidInput


def batches(
    measurements: Measurements, ids: Sequence[int], batch_size: int
) -> Iterator[dict[str, torch.Tensor]]:
    """Read measurements in the order of `ids`, `batch_size` at a time; the last batch may be short.

    The numbers are checked at once, the files are read as the batches are taken.

    Args:
        measurements: what to read from.
        ids: numbers of the measurements.
        batch_size: how many to a batch, at least 1.

    Returns:
        Batches of cube_BHWC (as stored), wavelengths int32 [B,C] in nm, mesu_index int64 [B] and,
        where the measurements are labelled, mask_BHW int32; all on the CPU.

    Raises:
        InvalidInput: `ids` is empty or names a measurement that does not exist. While iterating: a
            measurement cannot be read, or those of one batch differ in size.
    """
    ids = list(ids)
    measurements.check_ids(ids)
    return _read(measurements, ids, batch_size)


def _read(
    measurements: Measurements, ids: list[int], batch_size: int
) -> Iterator[dict[str, torch.Tensor]]:
    for start in range(0, len(ids), batch_size):
        chosen = ids[start : start + batch_size]
        yield _collate(chosen, [measurements.read(index) for index in chosen])


def _collate(ids: list[int], frames: list[Measurement]) -> dict[str, torch.Tensor]:
    first = frames[0].cube_HWC
    for index, frame in zip(ids, frames, strict=True):
        if frame.cube_HWC.shape != first.shape:
            raise InvalidInput(
                f"Measurements {ids[0]} and {index} differ in size, {first.shape} and "
                f"{frame.cube_HWC.shape} (height, width, bands), and cannot share a batch; "
                "set data.batch_size to 1."
            )
    # np.stack copies out of files mapped into memory, which torch must not write to.
    batch = {
        "cube": torch.from_numpy(np.stack([frame.cube_HWC for frame in frames])),
        "wavelengths": torch.from_numpy(
            np.stack([np.rint(frame.wavelengths_nm).astype(np.int32) for frame in frames])
        ),
        "mesu_index": torch.tensor(ids, dtype=torch.int64),
    }
    masks = [frame.mask_HW for frame in frames if frame.mask_HW is not None]
    if len(masks) == len(frames):
        batch["mask"] = torch.from_numpy(np.stack(masks))
    return batch
