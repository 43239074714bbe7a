"""Reading ahead: order, limit, position of errors, end of the thread."""

import gc
import threading

import numpy as np
import pytest

from fleet_engine.data import batches
from fleet_engine.data.read_ahead import read_ahead
from fleet_platform.errors import InvalidInput

DEADLINE_S = 10.0


class Source:
    """Loads and counts numbers, and lets a test wait for a count."""

    def __init__(self, fails_at=None):
        self.loaded = []
        self.asked_for = 0
        self.most_in_advance = 0
        self._fails_at = fails_at
        self._changed = threading.Condition()

    def __call__(self, index):
        with self._changed:
            self.loaded.append(index)
            in_advance = len(self.loaded) - self.asked_for
            self.most_in_advance = max(self.most_in_advance, in_advance)
            self._changed.notify_all()
        if index == self._fails_at:
            raise InvalidInput(f"number {index}")
        return index

    def reaches(self, count):
        with self._changed:
            return self._changed.wait_for(lambda: len(self.loaded) >= count, DEADLINE_S)


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "read-ahead"]


@pytest.fixture
def scene(data_dir, open_file, cube, mask):
    """Opens a labelled file of five measurements, number i being the cube plus 1000 i."""

    def opening(read_ahead=0, dtype=np.uint16, **spoilt):
        cubes = np.stack([cube + 1000 * i for i in range(5)]).astype(dtype)
        for number, value in spoilt.items():
            cubes[int(number.removeprefix("m")), 2, 3, 1] = value
        np.savez(data_dir / "scene.npz", cube=cubes, mask=np.stack([mask] * 5))
        measurements = open_file("scene.npz")
        measurements.read_ahead = read_ahead
        return measurements

    return opening


@pytest.mark.parametrize("count", [0, 1, 3, 100])
def test_the_order_is_kept(count):
    ids = [4, 0, 7, 7, 2, 9]
    assert list(read_ahead(Source(), ids, count)) == ids
    assert readers() == []


@pytest.mark.parametrize("count", [1, 3])
def test_exactly_the_limit_is_read_in_advance(count):
    source = Source()
    stream = read_ahead(source, range(20), count)
    for index in range(20):
        source.asked_for = index + 1
        assert next(stream) == index
        assert source.reaches(min(20, source.asked_for + count))
    assert source.most_in_advance == count


def test_without_reading_ahead_nothing_is_read_before_a_request():
    source = Source()
    stream = read_ahead(source, range(3), 0)
    assert source.loaded == []
    assert [next(stream), readers()] == [0, []]
    assert source.loaded == [0]


def test_an_error_replaces_its_measurement_and_ends_the_reading():
    source = Source(fails_at=2)
    stream = read_ahead(source, range(9), 5)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(InvalidInput, match="number 2"):
        next(stream)
    assert source.loaded == [0, 1, 2]
    assert readers() == []


def test_nothing_starts_before_the_first_request():
    stream = read_ahead(Source(), range(3), 2)
    assert readers() == []
    stream.close()


@pytest.mark.parametrize("how", ["closed", "let go", "broken off"])
def test_the_thread_ends_with_its_consumer(scene, how):
    stream = batches(scene(read_ahead=2), [0, 1, 2, 3, 4], 1)
    next(stream)
    assert len(readers()) == 1
    if how == "closed":
        stream.close()
    elif how == "let go":
        del stream
        gc.collect()
    else:
        with pytest.raises(KeyError):
            _break_off(stream)
        stream.close()
    assert readers() == []


def _break_off(stream):
    for _ in stream:
        raise KeyError


@pytest.mark.parametrize("count", [1, 2, 8])
def test_batches_are_the_same_with_and_without(scene, count):
    ids = [3, 0, 4, 1, 2]
    plain = list(batches(scene(), ids, 2))
    ahead = list(batches(scene(read_ahead=count), ids, 2))
    assert [batch["mesu_index"].tolist() for batch in ahead] == [[3, 0], [4, 1], [2]]
    for one, other in zip(plain, ahead, strict=True):
        assert one.keys() == other.keys()
        for key, value in one.items():
            np.testing.assert_array_equal(value, other[key])


@pytest.mark.parametrize("count", [0, 3])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_values_are_named_by_measurement_and_file(scene, dtype, value, count):
    stream = batches(scene(count, dtype, m3=value), [0, 4, 2, 3, 1], 2)
    assert next(stream)["mesu_index"].tolist() == [0, 4]
    not_finite = r"Measurement 3 of 'scene\.npz' contains NaN or infinite"
    with pytest.raises(InvalidInput, match=not_finite):
        next(stream)
    assert readers() == []


def test_the_largest_finite_values_are_accepted(scene):
    limits = np.finfo(np.float32)
    (batch,) = batches(scene(0, np.float32, m0=limits.max, m1=limits.min), [0, 1], 2)
    assert batch["cube"].max() == limits.max


def test_labels_that_do_not_match_are_reported_for_their_measurement(data_dir, open_file, cube):
    np.savez(data_dir / "scene.npz", cube=np.stack([cube] * 3))
    (data_dir / "labels.json").write_text(
        '{"annotations": [], "images": [{"id": 1, "height": 50, "width": 70}]}'
    )
    measurements = open_file("scene.npz", annotation_json_path="labels.json")
    measurements.read_ahead = 3
    stream = batches(measurements, [0, 1, 2], 1)
    assert next(stream)["mesu_index"].tolist() == [0]
    with pytest.raises(InvalidInput, match=r"'labels\.json' was made for another image"):
        next(stream)


def test_two_streams_of_one_file_do_not_disturb_each_other(scene):
    """For example, validation reads batches while those of the training are paused."""
    measurements = scene(read_ahead=2)
    train = batches(measurements, [0, 1, 2], 1)
    seen = [next(train)["mesu_index"].item()]
    seen += [batch["mesu_index"].item() for batch in batches(measurements, [3, 4], 1)]
    seen += [batch["mesu_index"].item() for batch in train]
    assert seen == [0, 3, 4, 1, 2]
    assert readers() == []
