"""Properties of the fits of all nodes that learn statistics."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_platform.errors import InvalidInput
from tests.numerics.single_node import CONTEXT, fit, made, scene

CHANNELS = 4
FITS = {
    "cuvis_ai.anomaly.deep_svdd.ZScoreNormalizerGlobal": ("data", {"num_channels": CHANNELS}),
    "cuvis_ai.anomaly.deep_svdd.DeepSVDDCenterTracker": ("embeddings", {"rep_dim": CHANNELS}),
    "cuvis_ai.anomaly.lad_detector.LADGlobal": ("data", {"num_channels": CHANNELS}),
    "cuvis_ai.anomaly.rx_detector.RXGlobal": ("data", {"num_channels": CHANNELS}),
    "cuvis_ai.node.dimensionality_reduction.TrainablePCA": (
        "data",
        {"num_channels": CHANNELS, "n_components": 3},
    ),
    "cuvis_ai.node.normalization.MinMaxNormalizer": ("data", {}),
    "cuvis_ai.node.channel_mixer.LearnableChannelMixer": (
        "data",
        {"input_channels": CHANNELS, "output_channels": 3, "init_method": "pca"},
    ),
    "cuvis_ai.node.channel_selector.SoftChannelSelector": (
        "data",
        {"n_select": 2, "input_channels": CHANNELS, "init_method": "variance"},
    ),
    "cuvis_ai.node.conversion.ScoreToLogit": ("scores", {}),
}
EACH_FIT = pytest.mark.parametrize(
    ("class_name", "port", "hparams"),
    [(class_name, *rest) for class_name, rest in FITS.items()],
    ids=[class_name.rpartition(".")[2] for class_name in FITS],
)
OF_CHANNELS = pytest.mark.parametrize(
    ("class_name", "port", "hparams"),
    [(class_name, *rest) for class_name, rest in FITS.items() if rest[1]],
    ids=[class_name.rpartition(".")[2] for class_name, rest in FITS.items() if rest[1]],
)


def training_data(seed, *, port="data"):
    return scene((6, 7, 5), 1 if port == "scores" else CHANNELS, seed, offset=10.0)


def assert_same_state(got, expected):
    assert got.state_dict().keys() == expected.state_dict().keys()
    for key, value in expected.state_dict().items():
        np.testing.assert_allclose(
            got.state_dict()[key].numpy(), value.numpy(), rtol=2e-5, atol=2e-6, err_msg=key
        )


@EACH_FIT
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), cuts=st.sets(st.integers(1, 5)))
def test_how_the_data_is_cut_into_batches_does_not_matter(class_name, port, hparams, seed, cuts):
    data = training_data(seed, port=port)
    whole = fit(made(class_name, **hparams), port, data)
    parts = fit(made(class_name, **hparams), port, *np.split(data, sorted(cuts)))
    assert_same_state(parts, whole)


@EACH_FIT
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), cuts=st.sets(st.integers(0, 6), min_size=1, max_size=3))
def test_processes_with_shards_compute_the_fit_of_all_data(class_name, port, hparams, seed, cuts):
    data = training_data(seed, port=port)
    workers = []
    for part in np.split(data, sorted(cuts)):
        worker = made(class_name, **hparams)
        worker.fit_begin()
        if len(part):
            worker.fit_update(**{port: torch.from_numpy(part)})
        workers.append(worker)
    sums = [worker.fit_sums() for worker in workers]
    for worker in workers:
        worker.fit_merge(sums)
        worker.fit_end()
        assert_same_state(worker, fit(made(class_name, **hparams), port, data))
        for key, value in worker.state_dict().items():
            assert torch.equal(value, workers[0].state_dict()[key])


@EACH_FIT
@pytest.mark.parametrize("frozen_again", [False, True])
def test_a_refit_discards_the_previous_state_even_if_unfrozen(
    class_name, port, hparams, frozen_again
):
    node = fit(made(class_name, **hparams), port, training_data(1, port=port))
    node.unfreeze()
    if frozen_again:
        node.freeze()
    fit(node, port, training_data(2, port=port))
    assert_same_state(node, fit(made(class_name, **hparams), port, training_data(2, port=port)))
    assert any(parameter.requires_grad for parameter in node.parameters()) is not frozen_again


@EACH_FIT
def test_a_fit_only_leaves_the_published_state(class_name, port, hparams):
    node = made(class_name, **hparams)
    before = {key: value.shape for key, value in node.state_dict().items()}
    fit(node, port, training_data(1, port=port))
    assert {key: value.shape for key, value in node.state_dict().items()} == before
    assert node.fitted


@EACH_FIT
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_non_finite_values_are_refused(class_name, port, hparams, value):
    data = training_data(1, port=port)
    data[2, 3, 1, 0] = value
    with pytest.raises(InvalidInput, match="NaN or infinite"):
        fit(made(class_name, **hparams), port, data)


@OF_CHANNELS
def test_another_number_of_channels_is_refused(class_name, port, hparams):
    wrong = torch.zeros(1, 2, 2, CHANNELS + 1)
    node = made(class_name, **hparams)
    for use in (node.fit_update, lambda **inputs: node(**inputs, context=CONTEXT)):
        with pytest.raises(InvalidInput, match=rf"'{port}': got {CHANNELS + 1} .*{CHANNELS}"):
            use(**{port: wrong})
