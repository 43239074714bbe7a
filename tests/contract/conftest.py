"""Fixtures of the contract tests."""

import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def proto_root() -> Path:
    """Return the folder of the proto files."""
    return REPOSITORY / "proto"


@pytest.fixture(scope="session")
def buf() -> str:
    """Return the buf command of the running interpreter."""
    return str(Path(sys.executable).with_name("buf"))
