"""Folders that code of clients may come from."""

import pytest

from fleet_platform.errors import InvalidInput, NotFound
from fleet_platform.files import PathPolicy


@pytest.fixture
def policy(tmp_path):
    for name in ("configs/mine", "data", "outputs/saved", "lab/plugin", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    return PathPolicy(
        working_dir=tmp_path,
        configs_dir=tmp_path / "configs",
        data_dir=tmp_path / "data",
        output_dir=tmp_path / "outputs",
        more_roots=(tmp_path / "lab",),
    )


def test_a_folder_is_found_absolute_and_relative(policy, tmp_path):
    plugin = tmp_path / "lab/plugin"
    assert policy.code_folder(str(plugin)) == plugin
    assert policy.code_folder("lab/plugin") == plugin
    assert policy.code_folder("plugin", [str(tmp_path / "lab")]) == plugin
    assert policy.code_folder("mine") == tmp_path / "configs/mine"


@pytest.mark.parametrize("path", ["/etc", "elsewhere", "lab/../elsewhere", "outputs/saved"])
def test_folders_outside_and_in_the_output_folder_are_rejected(policy, tmp_path, path):
    with pytest.raises(InvalidInput, match="outside the folders that code may come from"):
        policy.code_folder(str(tmp_path / path))


def test_a_relative_path_to_a_forbidden_folder_finds_nothing(policy):
    with pytest.raises(NotFound):
        policy.code_folder("outputs/saved")


def test_a_link_is_checked_by_its_target(policy, tmp_path):
    (tmp_path / "lab/link").symlink_to(tmp_path / "outputs/saved")
    with pytest.raises(InvalidInput, match="outside"):
        policy.code_folder(str(tmp_path / "lab/link"))


def test_a_file_is_not_found_as_a_folder(policy, tmp_path):
    (tmp_path / "lab/file").write_text("")
    for path in ("lab/none", "lab/file"):
        with pytest.raises(NotFound, match="not found"):
            policy.code_folder(path)
    with pytest.raises(InvalidInput, match="empty"):
        policy.code_folder("")
