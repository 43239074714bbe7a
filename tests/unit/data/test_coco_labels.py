"""COCO labels."""

import json

import numpy as np
import pytest
from pycocotools import mask as run_lengths

from fleet_platform.errors import InvalidInput, NotFound

SQUARE = [1, 1, 4, 1, 4, 3, 1, 3]
"""x, y of the corners: columns 1 to 4, rows 1 to 3."""


@pytest.fixture
def labelled(data_dir, open_file, cube, mask):
    """Open a file of two measurements with these annotations."""

    def opening(*annotations, **more):
        np.savez(data_dir / "scene.npz", cube=np.stack([cube] * 2), mask=np.stack([mask] * 2))
        numbered = [{"id": 10 + i, **annotation} for i, annotation in enumerate(annotations)]
        document = {"annotations": numbered, **more}
        (data_dir / "labels.json").write_text(json.dumps(document))
        return open_file("scene.npz", annotation_json_path="labels.json")

    return opening


def annotation(image_id=0, category_id=2, **segmentation):
    return {"image_id": image_id, "category_id": category_id, **segmentation}


def expected(rows, columns, value=2):
    mask = np.zeros((5, 7), np.int32)
    mask[rows, columns] = value
    return mask


def test_polygons_are_filled_in_x_and_y(labelled):
    mask = labelled(annotation(segmentation=[SQUARE])).read(0).mask_HW
    assert mask.dtype == np.int32
    np.testing.assert_array_equal(mask, expected(slice(1, 4), slice(1, 5)))


def test_later_annotations_cover_earlier_ones_and_short_rings_are_skipped(labelled):
    mask = (
        labelled(
            annotation(segmentation=[SQUARE, [0, 0, 1, 1]]),
            annotation(category_id=9, segmentation=[[1, 1, 2, 1, 2, 2, 1, 2]]),
            annotation(category_id=5, segmentation=[]),
        )
        .read(0)
        .mask_HW
    )
    want = expected(slice(1, 4), slice(1, 5))
    want[1:3, 1:3] = 9
    np.testing.assert_array_equal(mask, want)


def test_a_measurement_without_annotations_is_all_zeros(labelled):
    measurements = labelled(annotation(segmentation=[SQUARE]))
    np.testing.assert_array_equal(measurements.read(1).mask_HW, np.zeros((5, 7)))


@pytest.mark.parametrize("compressed", [True, False])
def test_run_lengths_are_decoded(labelled, compressed):
    want = expected(slice(1, 3), slice(2, 6))
    if compressed:
        encoded = run_lengths.encode(np.asfortranarray(want > 0, dtype=np.uint8))
        encoded["counts"] = encoded["counts"].decode()
    else:
        changes = np.flatnonzero(np.diff((want > 0).ravel(order="F"))) + 1
        edges = [0, *(int(change) for change in changes), 35]
        encoded = {"counts": np.diff(edges).tolist(), "size": [5, 7]}
    measurements = labelled(annotation(segmentation=encoded))
    np.testing.assert_array_equal(measurements.read(0).mask_HW, want)


def test_run_lengths_of_the_camera_software_have_the_width_first(labelled):
    drawn = {"counts": [5, 5, 25], "size": [7, 5]}
    mask = labelled(annotation(mask=drawn)).read(0).mask_HW
    np.testing.assert_array_equal(mask, expected(slice(0, 5), 1))


def test_labels_replace_the_mask_of_the_file(labelled, mask):
    measurements = labelled()
    assert mask.any()
    assert not measurements.read(0).mask_HW.any()


@pytest.mark.parametrize(
    "segmentation",
    [
        {"segmentation": {"counts": [50], "size": [5, 10]}},
        {"segmentation": {"counts": [34], "size": [5, 7]}},
        {"segmentation": {"counts": [-1, 36], "size": [5, 7]}},
        {"segmentation": {"counts": "04", "size": [5, 7]}},
        {"segmentation": {"counts": "o" * 60, "size": [5, 7]}},
        {"segmentation": {"counts": 3, "size": [5, 7]}},
        {"segmentation": {"size": [5, 7]}},
        {"segmentation": [[20, 20, 30, 20, 30, 30]]},
        {"segmentation": [[1, 1, 2, 2, 3, 3, 4]]},
        {"segmentation": [[1, 1, 2, "x", 3, 3]]},
        {"segmentation": [3]},
    ],
)
def test_an_annotation_that_does_not_match_is_named(labelled, segmentation):
    measurements = labelled(annotation(segmentation=[SQUARE]), annotation(**segmentation))
    with pytest.raises(InvalidInput, match=r"Annotation 11 of 'labels\.json' does not fit"):
        measurements.read(0)


def test_labels_of_images_of_another_size_are_refused(labelled):
    measurements = labelled(images=[{"id": 0, "height": 50, "width": 70}])
    with pytest.raises(InvalidInput, match="image 0 is 50 x 70 pixels, the measurement 5 x 7"):
        measurements.read(0)
    assert measurements.read(1).mask_HW is not None


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"annotations": [3]}', '{"annotations": [{"image_id": 0}]}', "\xff"],
)
def test_other_files_than_coco_are_refused(data_dir, open_file, cube, content):
    np.save(data_dir / "scene.npy", cube)
    (data_dir / "labels.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(InvalidInput, match=r"'labels\.json' is not COCO JSON"):
        open_file("scene.npy", annotation_json_path="labels.json")


def test_missing_labels_are_not_found(data_dir, open_file, cube):
    np.save(data_dir / "scene.npy", cube)
    with pytest.raises(NotFound, match=r"labels\.json"):
        open_file("scene.npy", annotation_json_path="labels.json")
