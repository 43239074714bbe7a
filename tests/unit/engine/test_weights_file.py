from pathlib import Path

import pytest

from fleet_engine.weights import read_weights_file
from fleet_platform.errors import InvalidInput, NotFound
from fleet_platform.files import PathPolicy


@pytest.fixture
def paths(tmp_path):
    return PathPolicy(
        working_dir=tmp_path,
        configs_dir=tmp_path / "configs",
        data_dir=tmp_path / "data",
        output_dir=tmp_path,
    )


@pytest.mark.parametrize("suffix", [".pt", ".ckpt", ".safetensors"])
def test_the_suffix_may_be_left_out(paths, tmp_path, suffix):
    file = tmp_path / f"rx{suffix}"
    file.write_bytes(b"weights")

    assert read_weights_file("rx", paths, ()) == (file, b"weights")


def test_a_missing_file_is_not_found(paths):
    with pytest.raises(NotFound, match=r"'rx' not found"):
        read_weights_file("rx", paths, ())


def test_an_unreadable_file_is_an_error_of_the_caller(paths, tmp_path, monkeypatch):
    (tmp_path / "rx.pt").write_bytes(b"weights")

    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InvalidInput, match=r"Weights 'rx' cannot be read") as caught:
        read_weights_file("rx", paths, ())
    assert "Permission" not in caught.value.text
