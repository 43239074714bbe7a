"""The list of the engine's node classes for services without torch."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fleet_engine import catalogue
from fleet_schemas.graph import built_in_classes, built_in_nodes

REPOSITORY = Path(__file__).parents[3]
DEADLINE_S = 600


def run_generator(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tools.built_in_nodes", *arguments],
        cwd=REPOSITORY,
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )


def test_the_file_is_current():
    done = run_generator("--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_check_detects_a_stale_file(tmp_path):
    stale = tmp_path / "nodes.json"
    shutil.copy(REPOSITORY / "libs/schemas/src/fleet_schemas/graph/built_in_nodes.json", stale)
    stale.write_text(stale.read_text().replace('"float32"', '"float64"', 1))

    done = run_generator("--check", "--target", str(stale))

    assert done.returncode == 1
    assert "Run: python -m tools.built_in_nodes" in done.stderr


def test_it_is_read_without_torch():
    code = (
        "import sys; from fleet_schemas.graph import built_in_nodes; built_in_nodes();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_path_names_the_class_of_the_engine():
    told = {path: node.class_name for path, node in built_in_classes().items()}
    assert told == {path: kind.__name__ for path, kind in catalogue().items()}


@pytest.mark.parametrize("node", built_in_nodes(), ids=lambda node: node.class_name)
def test_ports_are_those_of_the_class(node):
    kind = catalogue()[node.paths[0]]
    for told, declared in ((node.inputs, kind.INPUT_SPECS), (node.outputs, kind.OUTPUT_SPECS)):
        assert list(told) == list(declared)
        for name, port in told.items():
            assert str(port) == str(declared[name])
            assert (port.optional, port.variadic) == (
                declared[name].optional,
                declared[name].variadic,
            )
    assert node.summary.endswith(".")
    assert node.category
    assert node.tags


def test_hparams_have_type_default_and_requirement():
    hparams = built_in_classes()["cuvis_ai.anomaly.rx_detector.RXGlobal"].hparams
    assert list(hparams) == ["num_channels", "eps", "cache_inverse"]
    assert hparams["num_channels"].required
    assert hparams["num_channels"].schema == {
        "exclusiveMinimum": 0,
        "maximum": 16384,
        "type": "integer",
    }
    assert (hparams["eps"].required, hparams["eps"].default) == (False, 1e-6)
