"""Whoever has only the client's wheel gets a client, and nothing heavy with it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.packages.build import build
from deploy.packages.package import ROOT, packages

_HEAVY = {"torch", "matplotlib", "typer", "scipy", "rich", "pydantic", "redis"}
_NEEDED = {"grpcio", "numpy", "protobuf", "typing-extensions"}
_LOOK = """
import sys, cuvis_fleet
print(cuvis_fleet.__file__)
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an empty environment into which the client's wheel was installed."""
    folder = tmp_path_factory.mktemp("client")
    build(
        (package for package in packages() if package.folder.name in {"proto", "client"}),
        folder / "dist",
    )
    _uv("venv", "--quiet", "--python", sys.executable, folder / "environment")
    python = folder / "environment" / "bin" / "python"
    constraints = ("-c", ROOT / "constraints.txt")
    _uv("pip", "install", "--quiet", "--python", python, *constraints, "--find-links",
        folder / "dist", "cuvis-fleet")  # fmt: skip
    return python


def _uv(*arguments):
    uv = Path(sys.executable).with_name("uv")
    ran = subprocess.run([uv, *arguments], check=True, timeout=600, stdout=subprocess.PIPE)
    return ran.stdout.decode()


def test_the_wheel_brings_grpc_protobuf_and_numpy_alone(python):
    listed = _uv("pip", "freeze", "--python", python)
    names = {re.split("==| @ ", line)[0] for line in listed.splitlines()}
    assert names == {"cuvis-fleet", "cuvis-fleet-proto", *_NEEDED}


def test_its_import_loads_nothing_heavy(python, tmp_path):
    told = subprocess.run(
        [python, "-I", "-c", _LOOK], check=True, capture_output=True, text=True, cwd=tmp_path
    ).stdout
    where, modules = told.splitlines()
    assert where.startswith(str(python.parents[1]))
    assert not _HEAVY & set(modules.split())
