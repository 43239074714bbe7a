"""Full volumes, and libraries that are not installed."""

import builtins
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from spectral.io import envi  # noqa: F401  (loaded before the volume is full)

from cuvis_fleet import pictures
from cuvis_fleet.extras import MissingExtra
from cuvis_fleet.formats import Scene, UnwritableFile, read_scene, write_result, write_scene
from tests.support.file_size_limit import no_room_for

OLD = Scene(np.ones((8, 9, 10), np.float32), name="a")
NEW = Scene(np.zeros((80, 90, 10), np.float32), name="a")


@pytest.fixture
def full_volume(monkeypatch):
    """A context in which this process cannot write more than a few bytes to a file."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda: no_room_for([os.getpid()])
    signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("suffix", [".npz", ".npy", ".hdr", ".mat", ".tif"])
def test_on_a_full_volume_the_existing_scene_is_unchanged(tmp_path, full_volume, suffix):
    path = tmp_path / f"a{suffix}"
    write_scene(OLD, path)
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    with full_volume(), pytest.raises(UnwritableFile, match="No partial file remains"):
        write_scene(NEW, path)
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == before
    np.testing.assert_array_equal(read_scene(path).cube_HWC, OLD.cube_HWC)


@pytest.mark.parametrize("name", ["r.npz", "r.hdr", "r.png"])
def test_on_a_full_volume_no_partial_result_remains(tmp_path, full_volume, name):
    result = {"detector.scores": np.ones((1, 64, 64, 1), np.float32)}
    write_result(result, tmp_path / f"before_{name}")
    kept = sorted(tmp_path.iterdir())
    with full_volume(), pytest.raises(UnwritableFile, match="No partial file remains"):
        write_result(result, tmp_path / name)
    assert sorted(tmp_path.iterdir()) == kept


def test_a_graph_is_written_atomically_with_a_matching_suffix(tmp_path, full_volume):
    drawn = b"\x89PNG\r\n" + bytes(1000)
    with full_volume(), pytest.raises(UnwritableFile, match="No partial file remains"):
        pictures.pipeline_graph(drawn, tmp_path / "a.png")
    with pytest.raises(UnwritableFile, match=r"the graph is a \.png file"):
        pictures.pipeline_graph(drawn, tmp_path / "a.svg")
    with pytest.raises(UnwritableFile, match="neither PNG nor SVG"):
        pictures.pipeline_graph(b"digraph {}", tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []
    pictures.pipeline_graph(drawn, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == drawn


@pytest.mark.parametrize(
    ("suffix", "library"), [(".hdr", "spectral"), (".mat", "scipy"), (".tif", "tifffile")]
)
def test_a_missing_library_names_its_extra(tmp_path, monkeypatch, suffix, library):
    write_scene(OLD, tmp_path / f"a{suffix}")
    imported = builtins.__import__

    def without(name, *more, **options):
        if name.partition(".")[0] == library:
            raise ModuleNotFoundError(f"No module named {library!r}", name=library)
        return imported(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    for attempt in (
        lambda: read_scene(tmp_path / f"a{suffix}"),
        lambda: write_scene(OLD, tmp_path / f"b{suffix}"),
    ):
        with pytest.raises(MissingExtra, match=rf"need {library}, .*'cuvis-fleet\[formats\]'"):
            attempt()


def test_numpy_files_need_no_extra(tmp_path):
    probe = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(['scipy', 'spectral', 'tifffile', 'matplotlib'])\n"
        "import numpy as np; from cuvis_fleet import formats\n"
        "formats.write_scene(formats.Scene(np.zeros((2, 3, 4))), sys.argv[1])\n"
        "print(formats.read_scene(sys.argv[1]).cube_HWC.shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, tmp_path / "a.npz"],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    assert done.stdout == "(2, 3, 4)\n"
