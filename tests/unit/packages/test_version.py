"""The version is in one file and the same everywhere else."""

from importlib.metadata import version as installed_version

import pytest

from deploy.packages.package import ROOT, packages
from deploy.packages.version import files, main, stamped, version


def test_every_file_tells_the_version_of_the_one_file(capsys):
    assert main(["--check"]) == 0, capsys.readouterr().err
    assert {package.version for package in packages()} == {version()}


def test_every_package_and_every_image_is_looked_at():
    found = {str(file.relative_to(ROOT)) for file in files()}
    pyprojects = {str(file.relative_to(ROOT)) for file in ROOT.glob("*/**/src/../pyproject.toml")}
    assert {each.replace("src/../", "") for each in pyprojects} <= found
    assert sum(each.endswith("Dockerfile") for each in found) == 2


@pytest.mark.parametrize("package", packages(), ids=lambda package: package.name)
def test_what_is_installed_has_it_too(package):
    assert installed_version(package.name) == version()


def test_a_new_version_reaches_all_kinds_of_places():
    text = (
        'version = "0.1.0"\ndependencies = ["cuvis-fleet-proto==0.1.0", "grpcio==1.76"]\n'
        'requires-python = ">=3.11"\nLABEL org.opencontainers.image.version="0.1.0" \\\n'
    )
    assert stamped(text, "0.2.0rc1") == text.replace("0.1.0", "0.2.0rc1")
