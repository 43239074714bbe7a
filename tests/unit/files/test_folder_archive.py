"""Archives of folders."""

import os

import pytest

from fleet_platform.errors import Exhausted, InvalidInput
from fleet_platform.files import folder_archive, pack_folder, unpack_folder


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "plugin"
    (made / "pkg").mkdir(parents=True)
    (made / "pkg/__init__.py").write_text("x = 1\n")
    (made / "pkg/weights.bin").write_bytes(b"\0\1")
    return made


def unpacked(content, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    unpack_folder(content, out)
    return {
        file.relative_to(out).as_posix(): file.read_bytes()
        for file in out.rglob("*")
        if file.is_file()
    }


def test_a_packed_folder_can_be_unpacked(folder, tmp_path):
    assert unpacked(pack_folder(folder), tmp_path) == {
        "pkg/__init__.py": b"x = 1\n",
        "pkg/weights.bin": b"\0\1",
    }


def test_times_and_excluded_files_change_nothing(folder):
    before = pack_folder(folder)
    for name in (".git", "__pycache__", "pkg/__pycache__"):
        (folder / name).mkdir()
        (folder / name / "x.py").write_text("")
    (folder / "pkg/old.pyc").write_bytes(b"")
    os.utime(folder / "pkg/__init__.py", (1, 1))
    assert pack_folder(folder) == before


def test_other_content_is_another_archive(folder):
    before = pack_folder(folder)
    (folder / "pkg/__init__.py").write_text("x = 2\n")
    assert pack_folder(folder) != before


def test_a_link_inside_is_followed_and_one_out_of_the_folder_rejected(folder, tmp_path):
    (folder / "same.py").symlink_to("pkg/__init__.py")
    assert unpacked(pack_folder(folder), tmp_path)["same.py"] == b"x = 1\n"
    (tmp_path / "secret").write_text("s")
    (folder / "out.py").symlink_to("../secret")
    with pytest.raises(InvalidInput, match=r"'out.py' is a link"):
        pack_folder(folder)


def test_a_folder_behind_a_link_is_not_archived(folder, tmp_path):
    (folder / "away").symlink_to("/etc")
    assert unpacked(pack_folder(folder), tmp_path).keys() == {"pkg/__init__.py", "pkg/weights.bin"}


def test_special_files_are_rejected(folder):
    os.mkfifo(folder / "pipe")
    with pytest.raises(InvalidInput, match="'pipe' is not a regular file"):
        pack_folder(folder)


@pytest.mark.parametrize("bound", ["MAX_FILES", "MAX_SIZE_BYTES"])
def test_the_size_is_limited(folder, monkeypatch, bound):
    monkeypatch.setattr(folder_archive, bound, 1)
    with pytest.raises(Exhausted, match="more than"):
        pack_folder(folder)


def test_nothing_is_written_outside(tmp_path):
    import io
    import tarfile

    evil = io.BytesIO()
    with tarfile.open(fileobj=evil, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../escaped"), io.BytesIO())
    (tmp_path / "into").mkdir()
    with pytest.raises(tarfile.OutsideDestinationError):
        unpack_folder(evil.getvalue(), tmp_path / "into")
    assert not (tmp_path / "escaped").exists()
