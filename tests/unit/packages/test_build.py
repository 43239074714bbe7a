"""Distributions are complete and reproducible."""

import hashlib
import shutil
import tarfile
import zipfile

import pytest

from deploy.packages.build import build
from deploy.packages.package import ROOT, packages

_NOT_CODE = shutil.ignore_patterns("__pycache__", ".*", "*.egg-info")


def _digests(files):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return build(packages(), tmp_path_factory.mktemp("dist"))


def test_every_package_gives_an_sdist_and_a_wheel(built):
    names = {package.name.replace("-", "_") for package in packages()}
    assert {file.name.partition("-")[0] for file in built if file.suffix == ".whl"} == names
    assert {file.name.partition("-")[0] for file in built if file.suffix == ".gz"} == names


def test_another_folder_at_another_time_gives_the_same_bytes(built, tmp_path):
    elsewhere = tmp_path / "somewhere else"
    for package in packages():
        shutil.copytree(
            package.folder,
            elsewhere / package.folder.relative_to(ROOT),
            ignore=_NOT_CODE,
            copy_function=shutil.copyfile,  # with the time of now
            dirs_exist_ok=True,
        )
    shutil.copyfile(ROOT / "LICENSE", elsewhere / "LICENSE")
    again = build(packages(elsewhere), tmp_path / "dist", elsewhere)
    assert _digests(again) == _digests(built)


def test_a_distribution_holds_its_code_and_its_licence_and_nothing_that_was_left(built):
    for file in built:
        if file.suffix == ".whl":
            names = zipfile.ZipFile(file).namelist()
        else:
            with tarfile.open(file) as archive:
                names = archive.getnames()
        assert any(name.endswith("LICENSE") for name in names), file.name
        assert any(name.endswith("py.typed") for name in names), file.name
        assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
