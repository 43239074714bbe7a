"""Mixers of channels against float64 numpy."""

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet_engine import Context, Stage
from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.nodes.projections.learnable_channel_mixer import LearnableChannelMixer
from fleet_platform.errors import InvalidInput
from tests.numerics.single_node import fit, gradients_agree, made, run, scene, state_shapes

LEARNABLE = "cuvis_ai.node.channel_mixer.LearnableChannelMixer"
CONCRETE = "cuvis_ai.node.channel_mixer.ConcreteChannelMixer"
EXTENTS = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))


def with_biases(mixer, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, parameter in mixer.named_parameters():
            if key.endswith("bias"):
                parameter.normal_(generator=generator)
    return mixer


def mixed(mixer, cube, slope, *, normalised, eps):
    """Return the float64 result, layer by layer, and the tolerance of float32."""
    values = cube.astype(np.float64)
    for place, layer in enumerate(mixer.convs, start=1):
        values = values @ layer.weight.detach().double().numpy()[:, :, 0, 0].T
        if layer.bias is not None:
            values = values + layer.bias.detach().double().numpy()
        if place < len(mixer.convs) or not normalised:
            values = np.where(values > 0, values, slope * values)
    rounding = len(mixer.convs) * np.finfo(np.float32).eps * np.abs(values).max()
    if normalised:
        low, high = values.min(axis=(1, 2), keepdims=True), values.max(axis=(1, 2), keepdims=True)
        extent = np.maximum(high - low, eps)
        values = (values - low) / extent
        rounding /= extent.min()  # normalisation amplifies the errors of close values
    return values, 2e-5 * max(1.0, np.abs(values).max()) + 4 * rounding


@settings(max_examples=40, deadline=None)
@given(
    extent=EXTENTS,
    scheme=st.lists(st.integers(1, 7), min_size=2, max_size=4),
    seed=st.integers(0, 99),
    normalised=st.booleans(),
    activated=st.booleans(),
    bias=st.booleans(),
    slope=st.sampled_from([0.01, 0.3]),
    eps=st.sampled_from([1e-6, 0.5]),
)
@example(
    extent=(1, 1, 3),
    scheme=[1, 1, 1, 1],
    seed=47,
    normalised=True,
    activated=True,
    bias=True,
    slope=0.01,
    eps=1e-6,
)
def test_learnable_mixer(extent, scheme, seed, normalised, activated, bias, slope, eps):
    torch.manual_seed(seed)
    mixer = made(
        LEARNABLE,
        input_channels=scheme[0],
        output_channels=scheme[-1],
        reduction_scheme=scheme,
        normalize_output=normalised,
        use_activation=activated,
        use_bias=bias,
        leaky_relu_negative_slope=slope,
        eps=eps,
    )
    with_biases(mixer, seed)
    cube = scene(extent, scheme[0], seed)
    slope = slope if activated else 1.0
    expected, atol = mixed(mixer, cube, slope, normalised=normalised, eps=eps)
    got = run(mixer, "data", cube)["rgb"]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=atol)


def test_learnable_state_hparams_and_trainability():
    mixer = made(LEARNABLE, input_channels=6, output_channels=3, reduction_scheme=[6, 4, 3])
    assert state_shapes(mixer) == {
        "convs.0.weight": (4, 6, 1, 1),
        "convs.0.bias": (4,),
        "convs.1.weight": (3, 4, 1, 1),
        "convs.1.bias": (3,),
    }
    assert all(parameter.requires_grad for parameter in mixer.parameters())
    mixer.freeze()
    assert not any(parameter.requires_grad for parameter in mixer.parameters())
    mixer.unfreeze()
    assert all(parameter.requires_grad for parameter in mixer.parameters())
    single = made(LEARNABLE, input_channels=6, output_channels=3, use_bias=False)
    assert state_shapes(single) == {"convs.0.weight": (3, 6, 1, 1)}
    assert single.hparams["reduction_scheme"] == [6, 3]


@pytest.mark.parametrize(
    ("method", "bound"),
    [
        ("xavier", np.sqrt(6 / (200 + 40))),
        ("kaiming", np.sqrt(6 / (1.0001 * 200))),
        ("pca", np.sqrt(6 / (200 + 40))),
        ("zeros", 0.0),
    ],
)
def test_initial_weights_depend_on_method_and_seed(method, bound):
    def start(seed):
        torch.manual_seed(seed)
        mixer = LearnableChannelMixer(200, 40, init_method=method)
        return mixer.convs[0].weight.detach(), mixer.convs[0].bias.detach()

    weight, bias = start(1)
    assert not bias.any()
    assert float(weight.abs().max()) == pytest.approx(bound, rel=1e-2)
    assert float(weight.std()) == pytest.approx(bound / np.sqrt(3), rel=5e-2)
    assert torch.equal(weight, start(1)[0])
    assert method == "zeros" or not torch.equal(weight, start(2)[0])


def spread_scene(channels, seed):
    """Channels with well-separated principal variances in a random rotation."""
    rng = np.random.default_rng(seed)
    rotation = np.linalg.qr(rng.normal(size=(channels, channels)))[0]
    scaled = rng.normal(size=(2, 20, 20, channels)) * 2.0 ** -np.arange(channels)
    return (scaled @ rotation + 5.0).astype(np.float32)


@settings(max_examples=20, deadline=None)
@given(channels=st.integers(2, 7), wide=st.integers(1, 9), seed=st.integers(0, 99))
def test_principal_components(channels, wide, seed):
    train = spread_scene(channels, seed)
    mixer = made(
        LEARNABLE,
        input_channels=channels,
        output_channels=2,
        reduction_scheme=[channels, wide, 2],
        init_method="pca",
    )
    later = mixer.convs[1].weight.detach().clone()
    fit(mixer, "data", train[:1], train[1:])
    pixels = train.reshape(-1, channels).astype(np.float64)
    rows = np.linalg.svd(pixels - pixels.mean(axis=0), full_matrices=False)[2][:wide]
    got = mixer.convs[0].weight.detach().numpy()[:, :, 0, 0]
    kept = min(wide, channels)
    signs = np.sign((got[:kept] * rows).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(got[:kept] * signs, rows, atol=2e-5)
    assert not got[kept:].any()
    assert not mixer.convs[0].bias.any()
    assert torch.equal(mixer.convs[1].weight, later)


def test_only_principal_components_need_a_fit_which_can_be_repeated():
    assert made(LEARNABLE, input_channels=4, output_channels=2).ready
    mixer = made(LEARNABLE, input_channels=4, output_channels=2, init_method="pca")
    assert not mixer.ready
    train, other = spread_scene(4, 0), spread_scene(4, 1)
    fit(mixer, "data", train)
    assert mixer.ready
    first = mixer.convs[0].weight.detach().clone()
    mixer.unfreeze()
    fit(mixer, "data", other)
    assert not torch.allclose(mixer.convs[0].weight, first)
    assert mixer.convs[0].weight.requires_grad
    mixer.freeze()
    fit(mixer, "data", train)
    assert torch.equal(mixer.convs[0].weight, first)


@pytest.mark.parametrize("normalised", [True, False])
def test_learnable_gradients(normalised):
    torch.manual_seed(0)
    mixer = made(
        LEARNABLE,
        input_channels=4,
        output_channels=2,
        reduction_scheme=[4, 3, 2],
        normalize_output=normalised,
    )
    with_biases(mixer, 0)
    assert gradients_agree(mixer, data=scene((2, 2, 3), 4, 0).astype(np.float64))


def test_a_normalised_mixer_never_runs_tile_by_tile():
    for normalised in (True, False):
        mixer = made(LEARNABLE, input_channels=4, output_channels=2, normalize_output=normalised)
        assert bool(mixer.pixel_ports) is not normalised


@pytest.mark.parametrize("scheme", [[6, 4, 2], [5, 3], [6], []])
def test_schemes_with_wrong_ends_are_refused(scheme):
    with pytest.raises(GraphInvalid, match="reduction_scheme"):
        made(LEARNABLE, input_channels=6, output_channels=3, reduction_scheme=scheme)


@pytest.mark.parametrize("class_name", [LEARNABLE, CONCRETE])
def test_wrong_channels_are_refused(class_name):
    mixer = made(class_name, input_channels=4, output_channels=2)
    with pytest.raises(InvalidInput, match=r"got 3 channels; expected 4 channels"):
        run(mixer, "data", scene((1, 2, 2), 3, 0))


def test_principal_components_of_wrong_channels_or_nothing_are_refused():
    mixer = made(LEARNABLE, input_channels=4, output_channels=2, init_method="pca")
    with pytest.raises(InvalidInput, match="4 channels"):
        fit(mixer, "data", scene((1, 2, 2), 3, 0))
    with pytest.raises(InvalidInput, match="at least two pixels"):
        fit(mixer, "data")


def concrete(channels, outputs, seed, **hparams):
    mixer = made(CONCRETE, input_channels=channels, output_channels=outputs, **hparams)
    logits = np.random.default_rng(seed).normal(size=(outputs, channels)).astype(np.float32)
    with torch.no_grad():
        mixer.logits.copy_(torch.from_numpy(logits))
    return mixer, logits.astype(np.float64)


def softmax(values):
    grown = np.exp(values - values.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


@settings(max_examples=30, deadline=None)
@given(
    extent=EXTENTS,
    channels=st.integers(1, 8),
    outputs=st.integers(1, 4),
    seed=st.integers(0, 99),
    epoch=st.integers(0, 12),
    epochs=st.integers(1, 10),
)
def test_concrete_mixer_in_training(extent, channels, outputs, seed, epoch, epochs):
    mixer, logits = concrete(channels, outputs, seed, tau_start=4, tau_end=0.5, max_epochs=epochs)
    cube = scene(extent, channels, seed)
    torch.manual_seed(seed)
    uniform = torch.rand(outputs, channels).double().numpy()
    noise = -np.log(-np.log(uniform + 1e-6) + 1e-6)
    done = min(epoch / (epochs - 1), 1.0) if epochs > 1 else 1.0
    weights = softmax((logits + noise) / (4 * (0.5 / 4) ** done))
    torch.manual_seed(seed)
    got = run(mixer.train(), "data", cube, Context(Stage.TRAIN, epoch=epoch))
    np.testing.assert_allclose(got["selection_weights"], weights, rtol=1e-4, atol=1e-6)
    expected = cube.astype(np.float64) @ weights.T
    np.testing.assert_allclose(got["rgb"], expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize("stage", list(Stage))
def test_concrete_mixer_outside_of_training_is_deterministic(hard, stage):
    mixer, logits = concrete(6, 3, 0, use_hard_inference=hard, tau_end=0.3)
    cube = scene((2, 3, 4), 6, 0)
    hot = np.eye(6)[logits.argmax(axis=1)]
    weights = hot if hard else softmax(logits / 0.3)
    for epoch in (0, 9):
        got = run(mixer.eval(), "data", cube, Context(stage, epoch=epoch))
        np.testing.assert_allclose(got["selection_weights"], weights, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(got["rgb"], cube @ weights.T, rtol=1e-4, atol=1e-5)


def test_the_seed_determines_the_noise():
    mixer, _ = concrete(6, 3, 0)
    mixer.train()
    cube = scene((1, 2, 2), 6, 0)
    context = Context(Stage.TRAIN)

    def draws(seed):
        torch.manual_seed(seed)
        return [run(mixer, "data", cube, context)["selection_weights"] for _ in range(2)]

    first, again, other = draws(1), draws(1), draws(2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, other)


def test_concrete_gradients_in_training_reach_the_logits():
    mixer, _ = concrete(4, 2, 0)
    mixer.double().train()
    cube = torch.from_numpy(scene((1, 2, 2), 4, 0)).double().requires_grad_()

    def outputs(data, logits):
        assert logits is mixer.logits
        torch.manual_seed(0)
        return tuple(mixer(data=data, context=Context(Stage.TRAIN, epoch=3)).values())

    assert torch.autograd.gradcheck(outputs, (cube, mixer.logits))


def test_training_drives_each_row_to_the_expected_band():
    torch.manual_seed(0)
    mixer = made(CONCRETE, input_channels=8, output_channels=2, max_epochs=30).train()
    optimizer = torch.optim.Adam(mixer.parameters(), lr=0.3)
    cube = torch.from_numpy(scene((1, 12, 12), 8, 2))
    for epoch in range(30):
        for _ in range(5):
            optimizer.zero_grad()
            rgb = mixer(data=cube, context=Context(Stage.TRAIN, epoch=epoch))["rgb"]
            torch.nn.functional.mse_loss(rgb, cube[..., [5, 2]]).backward()
            optimizer.step()
    weights = run(mixer.eval(), "data", cube.numpy())["selection_weights"]
    assert weights.argmax(axis=1).tolist() == [5, 2]


def test_concrete_state_and_hparams():
    mixer = made(CONCRETE, input_channels=6)
    assert state_shapes(mixer) == {"logits": (3, 6)}
    assert mixer.logits.requires_grad
    assert mixer.ready
    for wrong in ({"tau_start": 0}, {"tau_end": -1}, {"output_channels": 0}):
        with pytest.raises(GraphInvalid, match=next(iter(wrong))):
            made(CONCRETE, input_channels=6, **wrong)
