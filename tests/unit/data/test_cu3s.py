"""Session files, with a fake SDK and without it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from fleet_platform.errors import InvalidInput, OutOfOrder
from tests.support.sdk_stub.cu3s import PYTHONPATH, write_cu3s

WAVELENGTHS = [430, 550, 670, 790]


@pytest.fixture
def sdk(monkeypatch):
    monkeypatch.syspath_prepend(str(PYTHONPATH))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "cuvis"]:
        del sys.modules[name]


@pytest.mark.usefixtures("sdk")
def test_measurements_are_processed_as_requested(data_dir, open_file, cube):
    write_cu3s(data_dir / "session.cu3s", np.stack([cube, cube + 7]), WAVELENGTHS)
    measurements = open_file("session.cu3s")
    assert len(measurements) == 2
    measurement = measurements.read(1)
    np.testing.assert_array_equal(measurement.cube_HWC, cube + 7)
    assert measurement.cube_HWC.dtype == np.uint16
    np.testing.assert_array_equal(measurement.wavelengths_nm, WAVELENGTHS)
    assert measurement.wavelengths_known
    assert measurement.mask_HW is None
    raw = open_file("session.cu3s", processing_mode="Raw").read(1)
    np.testing.assert_array_equal(raw.cube_HWC, cube + 107)


@pytest.mark.usefixtures("sdk")
def test_a_mode_without_its_references_is_refused(data_dir, open_file, cube):
    write_cu3s(data_dir / "session.cu3s", cube[None], WAVELENGTHS, references=["Dark"])
    with pytest.raises(InvalidInput, match=r"Reflectance needs a White reference.*=Raw"):
        open_file("session.cu3s")
    assert len(open_file("session.cu3s", processing_mode="DarkSubtract")) == 1


@pytest.mark.usefixtures("sdk")
def test_a_file_that_is_not_a_session_is_refused(data_dir, open_file):
    (data_dir / "session.cu3s").write_bytes(b"nothing of the kind")
    with pytest.raises(InvalidInput, match=r"'session\.cu3s' cannot be read: it is not a session"):
        open_file("session.cu3s")


def test_an_unknown_processing_mode_lists_the_known_ones(data_dir, open_file, cube):
    write_cu3s(data_dir / "session.cu3s", cube[None], WAVELENGTHS)
    with pytest.raises(InvalidInput, match="'Sharp' is unknown; use one of Raw, DarkSubtract"):
        open_file("session.cu3s", processing_mode="Sharp")


@pytest.mark.parametrize("failure", ["raise ImportError", "import sys; sys.exit(1)"])
def test_without_the_native_sdk_the_error_names_what_to_install(
    data_dir, open_file, cube, tmp_path, monkeypatch, failure
):
    package = tmp_path / "broken" / "cuvis"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(failure)
    monkeypatch.syspath_prepend(str(package.parent))
    write_cu3s(data_dir / "session.cu3s", cube[None], WAVELENGTHS)
    with pytest.raises(OutOfOrder, match=r"'session\.cu3s' needs the Cubert cuvis SDK.*install"):
        open_file("session.cu3s")
    assert "cuvis" not in sys.modules


def test_the_sdk_is_imported_only_for_session_files(data_dir, cube):
    np.save(data_dir / "scene.npy", cube)
    program = (
        "import sys; from pathlib import Path; from types import SimpleNamespace as Files\n"
        "from fleet_engine.data import import_readers, open_measurements\n"
        "from fleet_schemas import DataConfig\n"
        "files = Files(data_file=lambda text: Path(sys.argv[1], text))\n"
        "open_measurements(DataConfig(cu3s_file_path='scene.npy'), files).read(0)\n"
        "assert not {'cuvis', 'spectral', 'scipy.io', 'tifffile'} & set(sys.modules)\n"
        "import_readers()\n"
        "assert {'spectral', 'scipy.io', 'tifffile'} < set(sys.modules)\n"
        "assert 'cuvis' not in sys.modules\n"
        "try: open_measurements(DataConfig(cu3s_file_path='scene.cu3s'), files)\n"
        "except FileNotFoundError: print('imported' if 'cuvis' in sys.modules else 'not')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(data_dir)],
        env={**os.environ, "PYTHONPATH": str(PYTHONPATH)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "imported\n", ran.stderr
