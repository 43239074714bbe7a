"""Fixtures of the contract tests."""

import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def proto_root() -> Path:
    """Returns the folder that holds the proto files."""
    return REPOSITORY / "proto"


@pytest.fixture(scope="session")
def buf() -> str:
    """Returns the buf command that belongs to the running interpreter."""
    return str(Path(sys.executable).with_name("buf"))
