"""Compares all nodes of cuvis-ai 0.4.0: ports, state, fit, outputs, trainable parameters."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fleet_engine import Context, Node, Stage, catalogue
from fleet_engine.graph.construction import make_node
from fleet_schemas import NodeConfig
from tests.parity.node_cases import CASES, NodeCase
from tests.parity.observations import flatten, inputs_of, state_of, trainable
from tests.parity.published import run_published

pytestmark = pytest.mark.published

SCRIPT = Path(__file__).with_name("published_nodes.py")
STAGES = ("train", "val", "test", "inference")
EXACT, CLOSE = 1e-5, 1e-4
FITTED = [number for number, case in enumerate(CASES) if case.fit]


@dataclass(frozen=True)
class Observed:
    """Observations of the published node of a case.

    Attributes:
        declared: stages, names of trainable parameters.
        arrays: ``made/``, ``state/`` and ``after/`` states, ``out/`` outputs.
    """

    declared: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def part(self, prefix: str) -> dict[str, np.ndarray]:
        """Return the arrays below a prefix."""
        return {
            key.removeprefix(prefix): value
            for key, value in self.arrays.items()
            if key.startswith(prefix)
        }


@pytest.fixture(scope="module")
def observations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the results of the published packages for all cases."""
    folder = tmp_path_factory.mktemp("nodes")
    for number, case in enumerate(CASES):
        arrays = {f"run/{port}": value for port, value in case.inputs.items()}
        for index, inputs in enumerate(case.fit):
            arrays |= {f"fit{index}/{port}": value for port, value in inputs.items()}
        np.savez(folder / f"{number}.inputs.npz", **arrays)
        recorded = {
            "path": case.path,
            "hparams": case.hparams,
            "fit": len(case.fit),
            "stage": case.stage,
            "epoch": case.epoch,
            "training": case.training,
        }
        (folder / f"{number}.case.json").write_text(json.dumps(recorded), encoding="utf-8")
    run_published(SCRIPT, [{"folder": folder}], folder)
    return folder


@pytest.fixture(params=range(len(CASES)), ids=[case.id for case in CASES])
def number(request: pytest.FixtureRequest) -> int:
    """The number of the case."""
    return int(request.param)


@pytest.fixture
def case(number: int) -> NodeCase:
    """The case."""
    return CASES[number]


@pytest.fixture
def theirs(observations: Path, number: int) -> Observed:
    """The observations of the published node."""
    with np.load(observations / f"{number}.npz") as content:
        arrays = dict(content)
    recorded = json.loads((observations / f"{number}.json").read_text(encoding="utf-8"))
    return Observed(recorded, arrays)


@pytest.fixture
def ours(case: NodeCase) -> Node:
    """The node of this project, constructed as in a pipeline."""
    config = NodeConfig(name="node", class_name=case.path, hparams=dict(case.hparams))
    return make_node(config, catalogue()[case.path], "node").train(case.training)


def test_all_published_nodes_exist_here_and_in_the_table(observations):
    published = json.loads((observations / "catalogue.json").read_text(encoding="utf-8"))

    assert not published.keys() - catalogue().keys()
    assert published.keys() == {case.path for case in CASES}


def test_ports_and_trainable_buffers_are_the_published_ones(observations):
    published = json.loads((observations / "catalogue.json").read_text(encoding="utf-8"))
    known = catalogue()
    for path, expected in published.items():
        if path not in known:
            continue
        kind = known[path]
        assert list(kind.TRAINABLE_BUFFERS) == expected["trainable_buffers"], path
        for specs, ports in (
            (kind.INPUT_SPECS, expected["inputs"]),
            (kind.OUTPUT_SPECS, expected["outputs"]),
        ):
            assert specs.keys() == ports.keys(), path
            for name, port in ports.items():
                spec = specs[name]
                # The newest release omits some inputs that this one needs.
                relaxed = spec.optional and specs is kind.INPUT_SPECS
                assert spec.optional == port["optional"] or relaxed, f"{path}.{name}"
                assert spec.variadic == port["variadic"], f"{path}.{name}"
                assert len(spec.shape) == port["rank"] or spec.is_any, f"{path}.{name}"
                assert (
                    port["dtype"] is None
                    or spec.dtype is None
                    or (str(spec.dtype) == port["dtype"])
                ), f"{path}.{name}"


def test_state_keys_shapes_and_dtypes_are_the_published_ones(ours, theirs):
    assert {key: (value.shape, value.dtype) for key, value in state_of(ours).items()} == {
        key: (value.shape, value.dtype) for key, value in theirs.part("state/").items()
    }


def test_stages_and_need_of_a_fit_are_the_published_ones(ours, theirs):
    runs_at = [stage for stage in STAGES if ours.runs_at(Stage(stage))]
    published = theirs.declared["stages"]
    if type(ours).OBSERVER:
        # Nodes that draw and write only take part in trainings.
        assert "inference" not in runs_at
        assert "val" in runs_at
    else:
        assert runs_at == published
    assert ours.requires_fit == theirs.declared["requires_fit"]


def test_the_same_parameters_train(ours, theirs):
    recorded = theirs.declared
    assert trainable(ours) == recorded["trainable"]
    ours.unfreeze()
    assert trainable(ours) == recorded["unfrozen"]
    ours.freeze()
    assert trainable(ours) == recorded["frozen"]
    assert sorted(ours.state_dict()) == recorded["keys_frozen"]


def test_the_same_state_has_the_same_outputs(case, ours, theirs):
    load(ours, theirs.part("state/"))
    given = {f"run/{port}": value for port, value in case.inputs.items()}
    context = Context(Stage(case.stage), epoch=case.epoch)
    torch.manual_seed(3)
    with torch.no_grad():
        made = ours.forward(**inputs_of(given, "run/"), context=context)
    outputs = {
        key: value for port, out in made.items() for key, value in flatten(port, out).items()
    }

    # Metrics that only the newest release reports are accepted.
    more = {
        key for key in outputs.keys() - theirs.part("out/").keys() if key.startswith("metrics/")
    }
    assert_same(
        {key: outputs[key] for key in outputs if key not in more}, theirs.part("out/"), EXACT
    )
    assert_same(state_of(ours), theirs.part("after/"), EXACT)


@pytest.mark.parametrize("number", FITTED, ids=[CASES[number].id for number in FITTED])
def test_the_same_data_has_the_same_statistics(case, ours, theirs):
    # The initial shape of a published node may differ from the saved one.
    shapes = {key: value.shape for key, value in ours.state_dict().items()}
    made = {key: value for key, value in theirs.part("made/").items() if value.shape == shapes[key]}
    load(ours, made, strict=False)
    arrays = {
        f"fit{index}/{port}": value
        for index, inputs in enumerate(case.fit)
        for port, value in inputs.items()
    }
    stream = [inputs_of(arrays, f"fit{index}/") for index in range(len(case.fit))]
    ours.statistical_initialization(stream)

    assert ours.fitted
    assert_same(state_of(ours), theirs.part("state/"), CLOSE, case.sign_free)


def load(node, state, strict=True):
    values = {key: torch.from_numpy(value) for key, value in state.items()}
    node.load_state_dict(values, strict=strict)
    node.fitted = strict and node.requires_fit


def assert_same(found, expected, tolerance, sign_free=frozenset()):
    """Assert equal names, shapes and values within a relative `tolerance`."""
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        mine = np.asarray(found[key])
        assert mine.shape == value.shape, key
        if value.dtype.kind in "biuUS":
            assert np.array_equal(mine, value), key
            continue
        bare = np.abs if key in sign_free else np.asarray
        scale = max(float(np.abs(np.nan_to_num(value)).max(initial=0.0)), 1e-30)
        np.testing.assert_allclose(
            bare(mine) / scale, bare(value) / scale, rtol=0, atol=tolerance, err_msg=key
        )
