"""Labels in COCO format: polygons and run lengths."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.draw import polygon2mask

from fleet_engine.data.run_lengths import decode_run_lengths
from fleet_platform.errors import InvalidInput

_MIN_RING_NUMBERS = 6


class CocoLabels:
    """Class masks of measurements; the `image_id` of an annotation is the measurement's number."""

    def __init__(
        self,
        sent: str,
        annotations: Mapping[int, Sequence[Mapping[str, Any]]],
        sizes: Mapping[int, tuple[int, int]],
    ) -> None:
        self._sent = sent
        self._annotations = annotations
        self._sizes = sizes

    @classmethod
    def read(cls, path: Path, sent: str) -> "CocoLabels":
        """Read a COCO file.

        Args:
            path: path of the file.
            sent: its name as the client sent it.

        Raises:
            InvalidInput: it is not a COCO file.
        """
        try:
            document = json.loads(path.read_bytes())
            listed = document["annotations"]
            annotations: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
            for annotation in listed:
                np.int32(annotation["category_id"])
                annotations[int(annotation["image_id"])].append(annotation)
            sizes = {
                int(image["id"]): (int(image["height"]), int(image["width"]))
                for image in document.get("images", [])
                if image.get("height") and image.get("width")
            }
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise InvalidInput(
                f"Annotation file '{sent}' is not COCO JSON; it needs 'annotations', each with "
                "'image_id', 'category_id' and 'segmentation'."
            ) from error
        return cls(sent, annotations, sizes)

    def check_images(self, count: int) -> None:
        """Refuse labels of which none belongs to the file.

        Args:
            count: number of measurements of the file.

        Raises:
            InvalidInput: none of the annotations refers to a measurement of the file.
        """
        if self._annotations and not any(0 <= index < count for index in self._annotations):
            raise InvalidInput(
                f"Annotation file '{self._sent}' was made for other data: it annotates images "
                f"{min(self._annotations)} to {max(self._annotations)}, and the measurements are 0 "
                f"to {count - 1}. The 'image_id' of an annotation must be a measurement's number."
            )

    def mask(self, index: int, height: int, width: int) -> npt.NDArray[np.int32]:
        """Return the class of each pixel of measurement `index`; 0 without an annotation.

        Later annotations cover earlier ones.

        Raises:
            InvalidInput: an annotation is malformed or does not match the size of the image.
        """
        size = self._sizes.get(index, (height, width))
        if size != (height, width):
            raise InvalidInput(
                f"Annotation file '{self._sent}' was made for another image: its image {index} is "
                f"{size[0]} x {size[1]} pixels, the measurement {height} x {width} (height x "
                "width)."
            )
        mask_HW = np.zeros((height, width), np.int32)
        for annotation in self._annotations.get(index, ()):
            try:
                for region_HW in _regions(annotation, height, width):
                    mask_HW[region_HW] = annotation["category_id"]
            except ValueError as error:
                raise InvalidInput(
                    f"Annotation {annotation.get('id', '')} of '{self._sent}' does not fit "
                    f"measurement {index} of {height} x {width} pixels: {error}"
                ) from error
        return mask_HW


def _regions(annotation: Mapping[str, Any], height: int, width: int) -> list[npt.NDArray[np.bool_]]:
    regions = []
    segmentation = annotation.get("segmentation")
    if isinstance(segmentation, dict):
        regions.append(_from_run_lengths(segmentation, (height, width), (height, width)))
    elif segmentation:
        if not (isinstance(segmentation, list) and all(isinstance(r, list) for r in segmentation)):
            raise ValueError("'segmentation' contains neither polygons nor run lengths.")
        regions += [
            _from_polygon(ring, height, width)
            for ring in segmentation
            if len(ring) >= _MIN_RING_NUMBERS
        ]
    # Files by Cubert have run lengths under this key, with the size as width and height.
    drawn = annotation.get("mask")
    if isinstance(drawn, dict) and drawn.get("counts"):
        regions.append(_from_run_lengths(drawn, (width, height), (height, width)))
    return regions


def _from_polygon(ring: Sequence[float], height: int, width: int) -> npt.NDArray[np.bool_]:
    try:
        xy = np.asarray(ring, dtype=np.float32)
    except (ValueError, TypeError, OverflowError):
        xy = np.asarray([np.nan])
    if xy.size % 2 or not np.isfinite(xy).all():
        raise ValueError("a polygon is not a list of finite x, y pairs.")
    xy = xy.reshape(-1, 2)
    if (xy.max(axis=0) < 0).any() or (xy.min(axis=0) > (width, height)).any():
        raise ValueError("a polygon is outside the image.")
    inside: npt.NDArray[np.bool_] = polygon2mask(  # type: ignore[no-untyped-call] # has no types
        (height, width), xy[:, ::-1]
    )
    return inside


def _from_run_lengths(
    encoded: Mapping[str, Any], stated: tuple[int, int], shape: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    size, counts = encoded.get("size"), encoded.get("counts")
    if not (isinstance(size, list) and len(size) == 2):
        raise ValueError("run lengths have no 'size' of two numbers.")
    if tuple(size) not in {stated, shape}:
        raise ValueError(f"run lengths are for {size[0]} x {size[1]} pixels.")
    if not isinstance(counts, str) and not (
        isinstance(counts, list) and all(isinstance(run, int) for run in counts)
    ):
        raise ValueError("run lengths are neither a list of integers nor a string.")
    return decode_run_lengths(counts, shape)
