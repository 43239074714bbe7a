"""Channel selectors by wavelength, contrast or trainable weights."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.nodes.selectors.soft_channel_selector import SoftChannelSelector
from fleet_platform.errors import InvalidInput
from tests.numerics.single_node import (
    CONTEXT,
    fit,
    gradients_agree,
    made,
    run,
    scene,
    state_shapes,
)

MODULE = "cuvis_ai.node.channel_selector."
FIXED = MODULE + "FixedWavelengthSelector"
CIR = MODULE + "CIRSelector"
CONTRAST = MODULE + "HighContrastSelector"
SOFT = MODULE + "SoftChannelSelector"
TOP_K = MODULE + "TopKIndices"

EXTENTS = st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 9))
LAMBDAS = np.arange(430, 911, 8)
IMAGE_SELECTORS = pytest.mark.parametrize("class_name", [FIXED, CIR, CONTRAST])


def nm(values):
    return torch.as_tensor(np.asarray(values), dtype=torch.int32)


def picked(node_, cube, wavelengths):
    return node_(cube=torch.from_numpy(cube), wavelengths=nm(wavelengths), context=CONTEXT)


def as_image(cube, bands):
    wide = cube[..., bands].astype(np.float64)
    low, high = wide.min(axis=(1, 2), keepdims=True), wide.max(axis=(1, 2), keepdims=True)
    return (wide - low) / np.maximum(high - low, 1e-8)


@settings(max_examples=25, deadline=None)
@given(
    extent=EXTENTS,
    wavelengths=st.lists(st.integers(400, 1000), min_size=1, max_size=12),
    targets=st.tuples(*[st.floats(400, 1000)] * 3),
    seed=st.integers(0, 99),
)
def test_bands_nearest_to_wavelengths(extent, wavelengths, targets, seed):
    cube = scene(extent, len(wavelengths), seed)
    got = picked(made(FIXED, target_wavelengths=list(targets)), cube, wavelengths)
    bands = got["band_info"]["band_indices"]
    for band, target in zip(bands, targets, strict=True):
        assert band == np.argmin(np.abs(np.array(wavelengths) - target))
    np.testing.assert_allclose(got["rgb_image"].numpy(), as_image(cube, bands), atol=1e-5)


def test_the_defaults_make_true_colour_and_colour_infrared():
    cube = scene((1, 4, 4), 61, 0)
    assert picked(made(FIXED), cube, LAMBDAS)["band_info"] == {
        "strategy": "baseline_false_rgb",
        "band_indices": [27, 15, 2],
        "band_wavelengths_nm": [646.0, 550.0, 446.0],
        "target_wavelengths_nm": [650.0, 550.0, 450.0],
    }
    assert picked(made(CIR), cube, LAMBDAS)["band_info"] == {
        "strategy": "cir_false_color",
        "band_indices": [54, 30, 16],
        "band_wavelengths_nm": [862.0, 670.0, 558.0],
        "target_wavelengths_nm": [860.0, 670.0, 560.0],
        "channel_mapping": {"R": "NIR", "G": "Red", "B": "Green"},
    }


def contrast(image, alpha):
    wide = image.astype(np.float64)
    return wide.var() + alpha * np.abs(ndimage.laplace(wide, mode="reflect")).mean()


@settings(max_examples=40, deadline=None)
@given(extent=EXTENTS, alpha=st.sampled_from([0.0, 0.1, 30.0]), seed=st.integers(0, 999))
def test_bands_of_high_contrast(extent, alpha, seed):
    cube = scene(extent, 9, seed)
    wavelengths = [430, 440, 470, 500, 540, 580, 610, 660, 700]
    got = picked(made(CONTRAST, alpha=alpha), cube, wavelengths)
    windows = ([1, 2, 3], [3, 4, 5], [6, 7, 8])
    for band, window in zip(got["band_info"]["band_indices"], windows, strict=True):
        best = max(contrast(cube[0, ..., other], alpha) for other in window)
        assert band in window
        assert contrast(cube[0, ..., band], alpha) == pytest.approx(best, rel=1e-9, abs=1e-12)
    assert got["band_info"]["windows_nm"] == [[440.0, 500.0], [500.0, 580.0], [610.0, 700.0]]
    assert got["band_info"]["alpha"] == alpha
    assert got["band_info"]["strategy"] == "high_contrast"


def test_alpha_decides_between_smooth_and_rough_bands():
    ramp = np.repeat(np.linspace(0, 10, 20, dtype=np.float32)[None, :, None], 20, axis=2)
    checks = np.indices((20, 20)).sum(axis=0, dtype=np.float32)[None] % 2
    cube = np.stack((ramp, checks, ramp, ramp), axis=-1)
    wavelengths = [450, 460, 550, 650]
    chosen = [
        picked(made(CONTRAST, alpha=alpha), cube, wavelengths)["band_info"]["band_indices"][0]
        for alpha in (0.0, 10.0)
    ]
    assert chosen == [0, 1]


def test_an_empty_window_selects_the_band_nearest_to_its_middle():
    got = picked(made(CONTRAST), scene((1, 3, 3), 3, 0), [480, 595, 900])
    assert got["band_info"]["band_indices"] == [0, 1, 1]


@IMAGE_SELECTORS
def test_image_of_a_constant_band_is_zero(class_name):
    got = picked(made(class_name), np.full((2, 3, 3, 61), 7.0, np.float32), LAMBDAS)
    assert torch.equal(got["rgb_image"], torch.zeros(2, 3, 3, 3))


@IMAGE_SELECTORS
def test_image_gradients(class_name):
    node_ = made(class_name).double()
    cube = torch.from_numpy(scene((2, 3, 4), 5, 3)).double().requires_grad_()
    wavelengths = nm([450, 550, 650, 700, 860])

    def image(leaf):
        return node_(cube=leaf, wavelengths=wavelengths, context=CONTEXT)["rgb_image"]

    assert torch.autograd.gradcheck(image, (cube,))


@IMAGE_SELECTORS
@pytest.mark.parametrize("count", [60, 62])
def test_wavelengths_that_do_not_match_the_cube_are_refused(class_name, count):
    with pytest.raises(InvalidInput, match=r"wavelengths.*one for each of the cube's 61 channels"):
        picked(made(class_name), scene((1, 2, 2), 61, 0), np.arange(count))


def test_invalid_windows_and_targets_are_refused():
    with pytest.raises(GraphInvalid, match="lower nm, upper nm"):
        made(CONTRAST, windows=[[500, 440], [500, 580], [610, 700]])
    with pytest.raises(GraphInvalid, match="windows"):
        made(CONTRAST, windows=[[440, 500], [500, 580]])
    with pytest.raises(GraphInvalid, match="target_wavelengths"):
        made(FIXED, target_wavelengths=[650, 550])


@settings(max_examples=30, deadline=None)
@given(
    data=st.data(),
    extent=EXTENTS,
    channels=st.integers(1, 8),
    seed=st.integers(0, 99),
    method=st.sampled_from(["uniform", "variance"]),
    temperature=st.floats(0.5, 10),
)
def test_soft_weights(data, extent, channels, seed, method, temperature):
    count = data.draw(st.integers(1, channels))
    train, test = scene((2, 6, 5), channels, seed), scene(extent, channels, seed + 1)
    node_ = made(
        SOFT,
        n_select=count,
        input_channels=channels,
        init_method=method,
        temperature_init=temperature,
    )
    fit(node_, "data", train[:1], train[1:])
    variance = train.reshape(-1, channels).astype(np.float64).var(axis=0, ddof=1)
    logits = np.log(variance + 1e-6) if method == "variance" else np.zeros(channels)
    np.testing.assert_allclose(node_.channel_logits.numpy(), logits, rtol=1e-5, atol=1e-6)
    grown = np.exp(logits / temperature)
    weights = count * grown / grown.sum()
    got = run(node_, "data", test)
    np.testing.assert_allclose(got["weights"], weights, rtol=1e-5)
    np.testing.assert_allclose(got["selected"], test * weights, rtol=1e-5, atol=1e-6)


def test_hard_weights_outside_of_training_only():
    node_ = made(SOFT, n_select=2, input_channels=4, hard=True)
    node_.store("channel_logits", torch.tensor([0.5, -1.0, 3.0, 0.0]))
    data = scene((1, 2, 2), 4, 0)
    assert run(node_.eval(), "data", data)["weights"].tolist() == [1, 0, 1, 0]
    soft = run(node_.train(), "data", data)["weights"]
    assert soft.sum() == pytest.approx(2)
    assert (soft > 0).all()


def test_soft_weights_before_any_fit():
    node_ = made(SOFT, n_select=2, input_channels=4)
    assert node_.ready
    weights = run(node_, "data", scene((1, 2, 2), 4, 0))["weights"]
    np.testing.assert_allclose(weights, 0.5)


def test_logits_by_variance_are_initially_random_and_reproducible():
    def start(seed):
        torch.manual_seed(seed)
        return SoftChannelSelector(
            n_select=2, input_channels=200, init_method="variance"
        ).channel_logits

    assert torch.equal(start(1), start(1))
    assert not torch.equal(start(1), start(2))
    assert float(start(1).std()) == pytest.approx(0.01, rel=0.2)


def test_soft_state():
    node_ = made(SOFT, n_select=2, input_channels=5)
    assert state_shapes(node_) == {"channel_logits": (5,)}
    node_.unfreeze()
    assert isinstance(node_.channel_logits, torch.nn.Parameter)
    assert state_shapes(node_) == {"channel_logits": (5,)}


def test_soft_gradients_reach_the_logits():
    node_ = made(SOFT, n_select=2, input_channels=3)
    node_.store("channel_logits", torch.tensor([0.1, -0.4, 2.0]))
    node_.unfreeze()
    assert gradients_agree(node_, data=scene((1, 2, 2), 3, 0).astype(np.float64))


def test_soft_selector_refuses_wrong_inputs():
    node_ = made(SOFT, n_select=2, input_channels=4)
    with pytest.raises(InvalidInput, match=r"got 3 channels; expected 4 channels"):
        run(node_, "data", scene((1, 2, 2), 3, 0))
    with pytest.raises(InvalidInput, match=r"got 5 channels; expected 4 channels"):
        fit(node_, "data", scene((1, 2, 2), 5, 0))
    with pytest.raises(GraphInvalid, match="at most the 4 of input_channels"):
        made(SOFT, n_select=5, input_channels=4)
    with pytest.raises(GraphInvalid, match="init_method"):
        made(SOFT, n_select=2, input_channels=4, init_method="entropy")
    with pytest.raises(InvalidInput, match="at least two pixels"):
        fit(made(SOFT, n_select=2, input_channels=4, init_method="variance"), "data")


@settings(max_examples=30, deadline=None)
@given(
    weights=hnp.arrays(np.float32, st.integers(1, 20), elements=st.floats(0, 1, width=32)),
    k=st.integers(1, 25),
)
def test_top_k(weights, k):
    indices = run(made(TOP_K, k=k), "weights", weights)["indices"]
    count = min(k, len(weights))
    assert len(set(indices.tolist())) == count
    assert indices.dtype == np.int64
    np.testing.assert_array_equal(weights[indices], np.sort(weights)[::-1][:count])


def test_top_k_needs_a_count():
    with pytest.raises(GraphInvalid, match="'k'"):
        made(TOP_K, k=0)
