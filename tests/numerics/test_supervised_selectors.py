"""Selectors that learn from labels, against scores computed pair by pair in float64."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet_engine.graph.errors import GraphInvalid
from fleet_engine.nodes.selectors.band_choice import best_in_windows, best_overall
from fleet_engine.nodes.statistics import value_counts
from fleet_engine.nodes.statistics.value_counts import ValueCounts
from fleet_platform.errors import InvalidInput
from tests.numerics.single_node import CONTEXT, made, scene, state_shapes

MODULE = "cuvis_ai.node.channel_selector."
CIR = MODULE + "SupervisedCIRSelector"
WINDOWED = MODULE + "SupervisedWindowedSelector"
FULL = MODULE + "SupervisedFullSpectrumSelector"
EACH = pytest.mark.parametrize("class_name", [CIR, WINDOWED, FULL])

CHANNELS = 13
LAMBDAS = np.linspace(440, 910, CHANNELS).round().astype(int)


def measurement(seed, *, levels=None, channels=CHANNELS, extent=(1, 9, 8)):
    """A cube with masked pixels shifted by a different amount per band; few levels cause ties."""
    rng = np.random.default_rng(seed)
    mask = rng.random((*extent, 1)) < 0.3
    mask.reshape(-1)[:2] = [True, False]
    shift = np.sin(np.arange(channels)) * np.arange(channels)
    cube = scene(extent, channels, 5) + rng.normal(size=(*extent, channels)) + mask * shift
    if levels:
        cube = np.round(cube / np.abs(cube).max() * levels)
    return cube.astype(np.float32), mask


def fitted(class_name, measurements, wavelengths=LAMBDAS, **hparams):
    node_ = made(class_name, num_spectral_bands=measurements[0][0].shape[-1], **hparams)
    return refit(node_, measurements, wavelengths)


def refit(node_, measurements, wavelengths=LAMBDAS):
    node_.statistical_initialization(
        {
            "cube": torch.from_numpy(cube),
            "wavelengths": torch.as_tensor(wavelengths, dtype=torch.int32),
            **({} if mask is None else {"mask": torch.from_numpy(mask)}),
        }
        for cube, mask in measurements
    )
    return node_


def classes(measurements):
    rows = np.concatenate([cube.reshape(-1, cube.shape[-1]) for cube, _ in measurements])
    flags = np.concatenate([mask.reshape(-1) for _, mask in measurements])
    return rows, flags


def fisher_of(values, flags):
    one, zero = values[flags].astype(np.float64), values[~flags].astype(np.float64)
    within = one.var() + zero.var()
    return (one.mean() - zero.mean()) ** 2 / within if within >= 1e-10 else 0.0


def auc_of(values, flags):
    """Every positive against every negative pixel."""
    one, zero = values[flags][:, None], values[~flags][None, :]
    return ((one > zero).mean() + (one == zero).mean() / 2).item()


def mutual_information_of(values, flags):
    """H(bin) + H(class) - H(bin, class), in bits."""
    bins = np.digitize(values, np.linspace(values.min(), values.max(), 10))
    return entropy(bins) + entropy(flags) - entropy(bins * 2 + flags)


def entropy(symbols):
    shares = np.unique(symbols, return_counts=True)[1] / len(symbols)
    return -(shares * np.log2(shares)).sum()


def standardised(values):
    return (values - values.mean()) / values.std() if values.std() > 1e-12 else values * 0


def reference(measurements, weights):
    rows, flags = classes(measurements)
    measures = [
        np.array([measure(rows[:, band], flags) for band in range(rows.shape[1])])
        for measure in (fisher_of, auc_of, mutual_information_of)
    ]
    scores = sum(w * standardised(m) for w, m in zip(weights, measures, strict=True))
    correlation = np.abs(np.corrcoef(rows.astype(np.float64), rowvar=False))
    return measures, scores, correlation


def chosen_by_reference(scores, correlation, candidates, penalty):
    """Greedy, slot by slot."""
    chosen = []
    for slot in candidates:
        free = slot(chosen)
        worth = [
            scores[band] - penalty * max((correlation[band, other] for other in chosen), default=0)
            for band in free
        ]
        chosen.append(free[int(np.argmax(worth))])
    return chosen


WINDOWS = {
    CIR: ((840, 910), (650, 720), (500, 570)),
    WINDOWED: ((440, 500), (500, 580), (610, 700)),
}


def slots(class_name):
    if class_name == FULL:
        return [lambda chosen: [b for b in range(CHANNELS) if b not in chosen]] * 3
    return [
        lambda _, low=low, high=high: [band for band, nm in enumerate(LAMBDAS) if low <= nm <= high]
        for low, high in WINDOWS[class_name]
    ]


@EACH
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 999),
    levels=st.sampled_from([None, 6, 4000]),
    weights=st.sampled_from([(1.0, 1.0, 1.0), (0.0, 2.0, 0.5), (3.0, 0.0, 1.0)]),
    penalty=st.sampled_from([0.0, 0.5, 4.0]),
)
def test_scores_and_bands(class_name, seed, levels, weights, penalty):
    measurements = [measurement(seed + i, levels=levels) for i in range(2)]
    node_ = fitted(class_name, measurements, score_weights=list(weights), lambda_penalty=penalty)
    (fisher, auc, information), scores, correlation = reference(measurements, weights)
    np.testing.assert_allclose(node_.fisher_scores.numpy(), fisher, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(node_.auc_scores.numpy(), auc, rtol=1e-6)
    np.testing.assert_allclose(node_.mi_scores.numpy(), information, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(node_.band_scores.numpy(), scores, rtol=1e-4, atol=1e-5)
    expected = chosen_by_reference(scores, correlation, slots(class_name), penalty)
    assert node_.selected_indices.tolist() == expected


@EACH
def test_image_and_band_info(class_name):
    node_ = fitted(class_name, [measurement(0)])
    cube, _ = measurement(7, extent=(2, 5, 4))
    got = node_(cube=torch.from_numpy(cube), wavelengths=torch.as_tensor(LAMBDAS), context=CONTEXT)
    bands = node_.selected_indices.tolist()
    wide = cube[..., bands].astype(np.float64)
    low, high = wide.min(axis=(1, 2), keepdims=True), wide.max(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(got["rgb_image"].numpy(), (wide - low) / (high - low), atol=1e-6)
    strategy = {
        CIR: "supervised_cir",
        WINDOWED: "supervised_windowed_false_rgb",
        FULL: "supervised_full_spectrum",
    }[class_name]
    info = {
        "strategy": strategy,
        "band_indices": bands,
        "band_wavelengths_nm": [float(LAMBDAS[band]) for band in bands],
        "score_weights": [1.0, 1.0, 1.0],
        "lambda_penalty": 0.5,
    }
    if class_name in WINDOWS:
        info["windows_nm"] = [[float(low), float(high)] for low, high in WINDOWS[class_name]]
    assert got["band_info"] == info


@EACH
def test_state(class_name):
    node_ = made(class_name, num_spectral_bands=CHANNELS)
    scores = dict.fromkeys(("band_scores", "fisher_scores", "auc_scores", "mi_scores"), (CHANNELS,))
    assert state_shapes(node_) == {"selected_indices": (3,), **scores}
    assert node_.selected_indices.dtype == torch.int64
    assert not node_.ready
    assert state_shapes(refit(node_, [measurement(0)])) == {"selected_indices": (3,), **scores}
    assert node_.ready


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 99),
    levels=st.sampled_from([None, 6]),
    order=st.permutations(range(4)),
    cuts=st.sets(st.integers(1, 3)),
)
def test_neither_order_nor_batches_matter(seed, levels, order, cuts):
    parts = [measurement(seed + i, levels=levels) for i in range(4)]
    batches = [
        tuple(np.concatenate(side) for side in zip(*[parts[order[i]] for i in batch], strict=True))
        for batch in np.split(np.arange(4), sorted(cuts))
    ]
    one, other = fitted(FULL, parts), fitted(FULL, batches)
    assert torch.equal(one.auc_scores, other.auc_scores)
    assert torch.equal(one.mi_scores, other.mi_scores)
    np.testing.assert_allclose(one.fisher_scores, other.fisher_scores, rtol=1e-6)
    assert torch.equal(one.selected_indices, other.selected_indices)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 99), levels=st.sampled_from([None, 6]), cuts=st.sets(st.integers(0, 4)))
def test_processes_with_shards_compute_the_fit_of_all_data(seed, levels, cuts):
    """A process may have no pixels, or pixels of one class only."""
    parts = [measurement(seed + i, levels=levels) for i in range(4)]
    parts[0] = (parts[0][0], np.zeros_like(parts[0][1]))
    whole = fitted(WINDOWED, parts)
    workers = []
    for share in np.split(np.arange(4), sorted(cuts)):
        worker = made(WINDOWED, num_spectral_bands=CHANNELS)
        worker.fit_begin()
        for i in share:
            cube, mask = (torch.from_numpy(value) for value in parts[i])
            worker.fit_update(cube=cube, mask=mask, wavelengths=torch.as_tensor(LAMBDAS))
        workers.append(worker)
    assert workers[0].mergeable
    sums = [worker.fit_sums() for worker in workers]
    for worker in workers:
        worker.fit_merge(sums)
        worker.fit_end()
        for key, value in worker.state_dict().items():
            assert torch.equal(value, workers[0].state_dict()[key])
            np.testing.assert_allclose(
                value, whole.state_dict()[key], rtol=1e-5, atol=1e-6, err_msg=key
            )


def test_refit_discards_the_previous_fit_even_if_unfrozen():
    node_ = fitted(WINDOWED, [measurement(0)])
    first = {key: value.clone() for key, value in node_.state_dict().items()}
    node_.unfreeze()
    refit(node_, [measurement(1), measurement(2)])
    assert not torch.equal(node_.band_scores, first["band_scores"])
    refit(node_, [measurement(0)])
    assert all(torch.equal(value, first[key]) for key, value in node_.state_dict().items())


def test_unlabelled_measurements_are_skipped():
    labelled = measurement(0)
    mixed = fitted(FULL, [(measurement(1)[0], None), labelled])
    alone = fitted(FULL, [labelled])
    assert torch.equal(mixed.band_scores, alone.band_scores)


def test_a_constant_band_has_score_and_correlation_zero():
    cube, mask = measurement(0)
    cube[..., 4] = 0.1
    node_ = fitted(FULL, [(cube, mask)])
    assert node_.fisher_scores[4] == 0
    assert node_.auc_scores[4] == 0.5
    assert node_.mi_scores[4] == 0
    alike = fitted(FULL, [(np.full_like(cube, 0.1), mask)])
    assert torch.equal(alike.band_scores, torch.zeros(CHANNELS))
    assert alike.selected_indices.tolist() == [0, 1, 2]


@pytest.mark.parametrize(("flag", "text"), [(True, "0 with mask false"), (False, "0 pixels with")])
def test_labels_of_one_class_are_refused(flag, text):
    cube, mask = measurement(0)
    with pytest.raises(InvalidInput, match=f"both classes.*{text}"):
        fitted(FULL, [(cube, np.full_like(mask, flag))])


def test_no_labels_at_all_are_refused():
    with pytest.raises(InvalidInput, match="both classes"):
        fitted(FULL, [(measurement(0)[0], None)])


def test_wrong_inputs_are_refused():
    cube, mask = measurement(0)
    with pytest.raises(InvalidInput, match=r"wavelengths.*13 channels"):
        fitted(FULL, [(cube, mask)], LAMBDAS[:-1])
    with pytest.raises(InvalidInput, match=r"cube.*got 12 channels; expected 13"):
        refit(made(FULL, num_spectral_bands=13), [(cube[..., :12], mask)], LAMBDAS[:12])
    with pytest.raises(InvalidInput, match=r"mask.*expected bool \[1, 9, 8, 1\]"):
        fitted(FULL, [(cube, mask[:, :4])])
    with pytest.raises(InvalidInput, match="NaN or infinite"):
        fitted(FULL, [(np.where(mask, np.nan, cube).astype(np.float32), mask)])
    with pytest.raises(GraphInvalid, match="greater than or equal to 3"):
        made(FULL, num_spectral_bands=2)
    with pytest.raises(GraphInvalid, match="lower nm, upper nm"):
        made(CIR, num_spectral_bands=5, windows=[[500, 440], [500, 580], [610, 700]])


def test_wavelengths_that_change_within_a_fit_are_refused():
    node_ = made(WINDOWED, num_spectral_bands=CHANNELS)
    cube, mask = (torch.from_numpy(value) for value in measurement(0))
    nm = torch.as_tensor(LAMBDAS, dtype=torch.int32)
    with pytest.raises(InvalidInput, match="the same for all measurements"):
        node_.statistical_initialization(
            [{"cube": cube, "mask": mask, "wavelengths": nm + shift} for shift in (0, 1)]
        )


def test_weights_with_a_missing_band_are_refused():
    node_ = fitted(FULL, [measurement(0)])
    node_.store("selected_indices", torch.tensor([0, 1, CHANNELS]))
    with pytest.raises(InvalidInput, match="selected_indices"):
        node_(
            cube=torch.from_numpy(measurement(0)[0]),
            wavelengths=torch.as_tensor(LAMBDAS),
            context=CONTEXT,
        )


def test_image_gradients():
    node_ = fitted(FULL, [measurement(0)]).double()
    cube = torch.from_numpy(measurement(3, extent=(1, 3, 3))[0]).double().requires_grad_()

    def image(leaf):
        return node_(cube=leaf, wavelengths=torch.as_tensor(LAMBDAS), context=CONTEXT)["rgb_image"]

    assert torch.autograd.gradcheck(image, (cube,))


def test_redundancy_is_the_strongest_correlation_with_a_chosen_band():
    scores = torch.tensor([9.0, 8.0, 5.0, 5.1])
    correlation = torch.tensor(
        [[1.0, 0.0, 0.5, 0.9], [0.0, 1.0, 0.5, 0.0], [0.5, 0.5, 1.0, 0.0], [0.9, 0.0, 0.0, 1.0]]
    )
    assert best_overall(scores, correlation, 3, penalty=1.0) == [0, 1, 2]
    assert best_overall(scores, correlation, 3, penalty=0.0) == [0, 1, 3]


def test_empty_and_overlapping_windows():
    scores, alike = torch.tensor([1.0, 2.0, 3.0]), torch.ones(3, 3)
    wavelengths = [450.0, 550.0, 650.0]
    windows = [(300, 310), (700, 800), (450, 650)]
    assert best_in_windows(scores, alike, wavelengths, windows, 0.5) == [0, 2, 2]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), parts=st.integers(1, 5))
def test_merged_values_lose_little_precision_and_no_determinism(seed, parts):
    """With 256 values for 4000, like 65536 for millions, ranks within a value are lost."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=4000).astype(np.float32)
    flags = rng.random(4000) < 0.3
    values[flags] += 0.7
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(value_counts, "DISTINCT", 256)
        whole, pieces = ValueCounts(), ValueCounts()
        whole.update(values[~flags], values[flags])
        for piece in np.array_split(rng.permutation(4000), parts):
            pieces.update(values[piece][~flags[piece]], values[piece][flags[piece]])
    assert 0 < len(whole.keys_K) <= 256
    assert pieces.shift == whole.shift > 0
    np.testing.assert_array_equal(pieces.keys_K, whole.keys_K)
    np.testing.assert_array_equal(pieces.counts_2K, whole.counts_2K)
    assert whole.auc() == pytest.approx(auc_of(values, flags), abs=1e-3)
    assert whole.mutual_information(10) == pytest.approx(
        mutual_information_of(values, flags), abs=0.02
    )


def test_counts_of_every_sign_and_size():
    values = np.array(
        [0.0, -0.0, 1e-45, -1e-45, 1.0, -1.0, 3e38, -3e38, 2.0, -2.0], dtype=np.float32
    )
    for flags in itertools.islice(itertools.product([False, True], repeat=10), 1, 1023, 31):
        marks = np.array(flags)
        counts = ValueCounts()
        counts.update(values[~marks], values[marks])
        assert len(counts.keys_K) == 9
        assert counts.auc() == pytest.approx(auc_of(values, marks), rel=1e-12)
