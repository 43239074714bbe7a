"""The published trainruns: trained there and loaded here, trained here and loaded there."""

import numpy as np
import pytest
import torch
import yaml

from fleet_engine import build_pipeline
from fleet_engine.weights import load_weights, state_of
from tests.parity.conftest import JOBS
from tests.parity.published import run_published
from tests.parity.trainruns import TRAINRUNS, fit, load, outputs, save, train, trainrun

pytestmark = pytest.mark.published

TRAINED = [(name, "statistical") for name in TRAINRUNS]
TRAINED += [("channel_selector", "gradient"), ("deep_svdd", "gradient")]


def assert_same(ours, theirs, tolerance):
    """Assert equal names, shapes and decisions, and numbers within a relative `tolerance`."""
    # Metrics that only the newest release reports are accepted.
    more = {key for key in ours.keys() - theirs.keys() if ".metrics/" in key}
    assert ours.keys() - more == set(theirs.keys())
    worst = {}
    for key, expected in theirs.items():
        found = ours[key]
        assert found.shape == expected.shape, key
        if expected.dtype == bool or np.issubdtype(expected.dtype, np.integer):
            assert np.array_equal(found, expected), key
            continue
        error = np.abs(found.astype(np.float64) - expected) / np.abs(expected).max().clip(1e-30)
        worst[key] = float(error.max(initial=0.0))
    assert not {key: error for key, error in worst.items() if not error <= tolerance}


@pytest.mark.parametrize(("name", "training"), TRAINED)
def test_pipelines_trained_there_and_loaded_here_have_the_same_outputs(
    trained_there, scene, name, training
):
    folder = trained_there / name
    pipeline = load(folder / f"{training}.yaml", folder / f"{training}.pt")

    assert_same(outputs(pipeline, scene), np.load(folder / f"{training}.npz"), 1e-5)


@pytest.mark.parametrize("name", TRAINRUNS)
def test_fitted_here_equals_fitted_there(trained_there, scene, name):
    run = trainrun(scene.resolve(name), scene)
    pipeline = build_pipeline(run.pipeline)
    load_weights(pipeline, (trained_there / name / "initial.pt").read_bytes(), strict=True)
    fit(run, pipeline, scene)

    assert_same(flat(state_of(pipeline)), saved(trained_there / name / "statistical.pt"), 1e-4)
    assert_same(outputs(pipeline, scene), np.load(trained_there / name / "statistical.npz"), 1e-4)


@pytest.fixture(scope="module")
def trained_here(scene, tmp_path_factory):
    """Results of this engine for each trainrun, and outputs of the published packages with them."""
    folder = tmp_path_factory.mktemp("ours")
    ours, jobs = {}, []

    def keep(name, training, pipeline):
        path = folder / f"{name}_{training}"
        weights = save(pipeline, path.with_suffix(".yaml"))
        ours[name, training] = outputs(pipeline, scene), weights
        jobs.append(
            {
                "do": "infer",
                "config": path.with_suffix(".yaml"),
                "weights": weights,
                "scene": scene.npz,
                "out": path.with_suffix(".npz"),
            }
        )

    for name in TRAINRUNS:
        run = trainrun(scene.resolve(name), scene)
        pipeline = build_pipeline(run.pipeline)
        fit(run, pipeline, scene)
        keep(name, "statistical", pipeline)
        if run.loss_nodes:
            train(run, pipeline, scene)
            keep(name, "gradient", pipeline)
    run_published(JOBS, jobs, folder)
    return ours


@pytest.mark.parametrize(("name", "training"), TRAINED)
def test_pipelines_trained_here_have_the_same_outputs_there(trained_here, name, training):
    ours, weights = trained_here[name, training]

    assert_same(ours, np.load(weights.with_suffix(".npz")), 1e-5)
    # The published reader ignores nodes that are missing in a file, even if it is strict.
    config = yaml.safe_load(weights.with_suffix(".yaml").read_text(encoding="utf-8"))
    named = torch.load(weights, weights_only=True)["state_dict"]
    assert list(named) == [node["name"] for node in config["nodes"]]


def test_one_gradient_step_per_epoch_equals_that_of_the_published_trainer(trained_there, scene):
    """Deep SVDD trains on one measurement, so that the order of batches does not matter."""
    folder = trained_there / "deep_svdd"
    resolved = scene.resolve("deep_svdd")
    # The published trainer keeps the weights of the last epoch despite a checkpoint callback.
    resolved["training"]["callbacks"] = resolved["training"]["trainer"]["callbacks"] = None
    run = trainrun(resolved, scene)
    pipeline = load(folder / "statistical.yaml", folder / "statistical.pt")
    train(run, pipeline, scene)

    assert_same(flat(state_of(pipeline)), saved(folder / "gradient.pt"), 1e-5)


def saved(path):
    """Return all values of a weights file by ``node.key``."""
    return flat(torch.load(path, weights_only=True)["state_dict"])


def flat(state):
    return {
        f"{node}.{key}": value.detach().to(torch.float64).numpy()
        for node, values in state.items()
        for key, value in values.items()
    }
