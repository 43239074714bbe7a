"""Writes the results of inferences."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cuvis_fleet.formats.atomic_files import atomic_output
from cuvis_fleet.formats.envi_images import write_image
from cuvis_fleet.formats.errors import UnwritableFile
from cuvis_fleet.formats.numpy_files import write_arrays

_PREFERRED = ("scores", "decisions")


def write_result(
    result: Mapping[str, npt.NDArray[Any]],
    path: str | PathLike[str],
    *,
    output: str | None = None,
) -> None:
    """Write the outputs of an inference; the suffix selects the format.

    Args:
        result: outputs by ``node.port``.
        path: ``.npz`` for all outputs; ``.hdr`` for one output as an ENVI image of float32;
            ``.png`` for one output as a picture.
        output: the output, as ``node.port`` or just the port; None: the scores, or the decisions
            if there are no scores.

    Raises:
        UnwritableFile: the format is unknown, the output does not exist or is not an image, or the
            disk is full.
        MissingExtra: the library for the format is not installed.
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix == ".npz":
        names = result if output is None else [_named(result, output)]
        with atomic_output(target) as unfinished:
            write_arrays({name: result[name] for name in names}, unfinished)
    elif suffix == ".hdr":
        name, image_HWC = _image(result, output, target)
        with atomic_output(target) as unfinished:
            write_image(image_HWC.astype(np.float32), unfinished, {"description": name})
    elif suffix == ".png":
        name, image_HWC = _image(result, output, target)
        _draw(name, image_HWC, target)
    else:
        raise UnwritableFile(
            f"{target} has an unknown format ({suffix or 'no suffix'}); results are written as "
            ".npz (all outputs), .hdr (ENVI) and .png."
        )


def _named(result: Mapping[str, npt.NDArray[Any]], output: str) -> str:
    matching = [name for name in result if output in {name, name.partition(".")[2]}]
    if len(matching) != 1:
        raise UnwritableFile(
            f"{'Several outputs are' if matching else 'No output is'} named {output}; "
            f"the outputs are {', '.join(result)}."
        )
    return matching[0]


def _image(
    result: Mapping[str, npt.NDArray[Any]], output: str | None, target: Path
) -> tuple[str, npt.NDArray[Any]]:
    """Return the name and the values [H,W,C] of the chosen output."""
    if output is None:
        ports = {name.partition(".")[2] or name for name in result}
        output = next((port for port in _PREFERRED if port in ports), _PREFERRED[0])
    name = _named(result, output)
    values = result[name]
    if values.ndim != 4 or len(values) != 1:
        raise UnwritableFile(
            f"{target} cannot be written: {name} has the shape {list(values.shape)}; one image "
            "[1,H,W,C] is needed. Infer one cube at a time, or write .npz."
        )
    return name, values[0]


def _draw(name: str, image_HWC: npt.NDArray[Any], target: Path) -> None:
    from cuvis_fleet import pictures

    if image_HWC.shape[2] != 1:
        raise UnwritableFile(
            f"{target} cannot be drawn: {name} has {image_HWC.shape[2]} channels; choose an "
            "output with one channel, or write .hdr."
        )
    image_HW = image_HWC[:, :, 0]
    if image_HW.dtype == np.bool_:
        figure = pictures.decision_overlay(image_HW, title=name)
    else:
        figure = pictures.score_map(image_HW, title=name)
    pictures.save(figure, target)
