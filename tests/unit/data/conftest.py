"""Fixtures for the tests of the readers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fleet_engine.data import Measurements, open_measurements
from fleet_platform.files import PathPolicy
from fleet_schemas import DataConfig

HEIGHT, WIDTH, BANDS = 5, 7, 4


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def policy(tmp_path: Path, data_dir: Path) -> PathPolicy:
    return PathPolicy(
        working_dir=tmp_path / "work",
        configs_dir=tmp_path / "configs",
        data_dir=data_dir,
        output_dir=tmp_path / "outputs",
    )


@pytest.fixture
def open_file(policy: PathPolicy) -> Callable[..., Measurements]:
    def opening(name: str, **more: Any) -> Measurements:
        return open_measurements(DataConfig(cu3s_file_path=name, **more), policy)

    return opening


@pytest.fixture
def cube() -> npt.NDArray[np.uint16]:
    return np.arange(HEIGHT * WIDTH * BANDS, dtype=np.uint16).reshape(HEIGHT, WIDTH, BANDS)


@pytest.fixture
def mask() -> npt.NDArray[np.int32]:
    return (np.arange(HEIGHT * WIDTH, dtype=np.int32) % 3).reshape(HEIGHT, WIDTH)
