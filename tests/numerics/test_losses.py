"""Each loss against its formula in float64 numpy; gradients by finite differences."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fleet_engine import Context, Stage, build_pipeline
from fleet_engine.graph.errors import GraphInvalid
from fleet_platform.errors import InvalidInput
from tests.support.scenes.pipelines import config, node

LOSSES = "cuvis_ai.node.losses."
CONTEXT = Context(Stage.TRAIN)
MAPS = st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 5), st.just(1))
SELECTOR_WEIGHTS = hnp.arrays(np.float32, st.integers(1, 20), elements=st.floats(0, 8, width=32))


def made(class_name, **hparams):
    return build_pipeline(config([node("n", LOSSES + class_name, **hparams)])).nodes["n"]


def loss_of(loss_node, **inputs):
    given_inputs = {port: torch.as_tensor(value) for port, value in inputs.items()}
    loss = loss_node(**given_inputs, context=CONTEXT)["loss"]
    assert loss.shape == ()
    assert loss.dtype == torch.float32
    return loss.item()


def close(value):
    return pytest.approx(value, rel=2e-5, abs=2e-6)


def rows(data, count, channels):
    values = st.floats(-3, 3, width=32)
    return data.draw(hnp.arrays(np.float32, (count, channels), elements=values))


def scores_and_truth(data, bound=30):
    shape = data.draw(MAPS)
    scores = data.draw(hnp.arrays(np.float32, shape, elements=st.floats(-bound, bound, width=32)))
    return scores, data.draw(hnp.arrays(bool, shape))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    weight=st.floats(-3, 10),
    pos_weight=st.none() | st.floats(0.1, 20),
    reduction=st.sampled_from(["mean", "sum"]),
)
def test_bce(data, weight, pos_weight, reduction):
    logits, truth = scores_and_truth(data)
    loss_node = made(
        "AnomalyBCEWithLogits", weight=weight, pos_weight=pos_weight, reduction=reduction
    )
    wide = logits.astype(np.float64)
    positive = (pos_weight or 1.0) * np.logaddexp(0, -wide)
    terms = np.where(truth, positive, np.logaddexp(0, wide))
    expected = weight * getattr(terms, reduction)()
    # In float32, a term is a difference of numbers as large as its logit, with their rounding.
    largest = abs(weight) * max(1.0, pos_weight or 1.0)
    rounding = largest * getattr(np.spacing(np.abs(logits)).astype(np.float64), reduction)()
    loss = loss_of(loss_node, predictions=logits, targets=truth)
    assert loss == pytest.approx(expected, rel=2e-5, abs=2e-6 + rounding)


def test_bce_of_extreme_logits_is_finite():
    logits = np.array([1e4, -1e4], np.float32).reshape(1, 1, 2, 1)
    wrong = np.array([False, True]).reshape(1, 1, 2, 1)
    assert loss_of(made("AnomalyBCEWithLogits"), predictions=logits, targets=wrong) == 1e4


@settings(max_examples=40, deadline=None)
@given(
    weights=SELECTOR_WEIGHTS,
    weight=st.floats(-2, 2),
    target=st.none() | st.floats(0, 3),
    eps=st.sampled_from([1e-6, 1e-3]),
)
def test_selector_entropy(weights, weight, target, eps):
    loss_node = made("SelectorEntropyRegularizer", weight=weight, target_entropy=target, eps=eps)
    share = weights.astype(np.float64) / (weights.astype(np.float64).sum() + eps)
    entropy = -(share * np.log(share + eps)).sum()
    expected = -weight * entropy if target is None else weight * (entropy - target) ** 2
    assert loss_of(loss_node, weights=weights) == close(expected)


@settings(max_examples=40, deadline=None)
@given(weights=SELECTOR_WEIGHTS, weight=st.floats(-2, 2))
def test_selector_diversity(weights, weight):
    wide = weights.astype(np.float64)
    expected = -weight * ((wide - wide.mean()) ** 2).mean()
    assert loss_of(made("SelectorDiversityRegularizer", weight=weight), weights=weights) == close(
        expected
    )


@settings(max_examples=40, deadline=None)
@given(data=st.data(), nu=st.floats(0.01, 0.99), weight=st.floats(0.1, 3), r=st.floats(-1, 3))
def test_deep_svdd_soft_boundary(data, nu, weight, r):
    embeddings, center = rows(data, 6, 4), rows(data, 1, 4)[0]
    loss_node = made("DeepSVDDSoftBoundaryLoss", nu=nu, weight=weight)
    loss_node.store("r_unconstrained", torch.tensor(r))
    radius = np.logaddexp(0, 10 * np.float64(np.float32(r))) / 10
    distance = ((embeddings.astype(np.float64) - center) ** 2).sum(axis=1)
    expected = weight * (radius**2 + np.maximum(distance - radius**2, 0).mean() / nu)
    got = loss_of(loss_node, embeddings=embeddings.reshape(1, 2, 3, 4), center=center)
    assert got == close(expected)


def test_the_radius_starts_at_a_tenth_of_ln_2_and_is_trainable():
    loss_node = made("DeepSVDDSoftBoundaryLoss", nu=0.5)
    nothing = torch.zeros(1, 1, 1, 2)
    loss = loss_node(embeddings=nothing, center=torch.zeros(2), context=CONTEXT)["loss"]
    assert loss.item() == close((np.log(2) / 10) ** 2)
    loss.backward()
    assert loss_node.r_unconstrained.grad.item() > 0


@settings(max_examples=40, deadline=None)
@given(data=st.data(), count=st.integers(1, 4), channels=st.integers(1, 6))
def test_orthogonality(data, count, channels):
    components = rows(data, count, channels)
    wide = components.astype(np.float64)
    expected = 0.5 * ((wide @ wide.T - np.eye(count)) ** 2).sum()
    assert loss_of(made("OrthogonalityLoss", weight=0.5), components=components) == close(expected)


@settings(max_examples=40, deadline=None)
@given(data=st.data(), reduction=st.sampled_from(["mean", "sum"]))
def test_mse(data, reduction):
    one, two = rows(data, 4, 3).reshape(1, 2, 2, 3), rows(data, 4, 3).reshape(1, 2, 2, 3)
    squares = (one.astype(np.float64) - two) ** 2
    loss_node = made("MSEReconstructionLoss", weight=3.0, reduction=reduction)
    got = loss_of(loss_node, reconstruction=one, target=two)
    assert got == close(3 * getattr(squares, reduction)())


@settings(max_examples=40, deadline=None)
@given(data=st.data(), count=st.integers(1, 4), channels=st.integers(1, 6))
def test_distinctness(data, count, channels):
    weights = rows(data, count, channels)
    wide = weights.astype(np.float64)
    unit = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-6)
    cosines = [unit[i] @ unit[j] for i in range(count) for j in range(i + 1, count)]
    expected = 2 * np.mean(cosines) if cosines else 0.0
    got = loss_of(made("DistinctnessLoss", weight=2.0), selection_weights=weights)
    assert got == close(expected)


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    method=st.sampled_from(["sigmoid", "clamp", "minmax"]),
    smooth=st.floats(1e-3, 1),
)
def test_iou(data, method, smooth):
    scores, truth = scores_and_truth(data, bound=4)
    wide = scores.astype(np.float64)
    spread = wide.max() - wide.min()
    assume(spread == 0 or spread > 1e-3)
    share = {
        "sigmoid": lambda: sigmoid(wide),
        "clamp": lambda: np.clip(wide, 0, 1),
        "minmax": lambda: (
            (wide - wide.min()) / (spread + smooth) if spread else np.full_like(wide, 0.5)
        ),
    }[method]()
    both, either = (share * truth).sum(), (share + truth - share * truth).sum()
    loss_node = made("IoULoss", weight=1.5, smooth=smooth, normalize_method=method)
    got = loss_of(loss_node, predictions=scores, targets=truth)
    assert got == pytest.approx(1.5 * (1 - (both + smooth) / (either + smooth)), abs=2e-5)


TRUTH = torch.tensor([True, False, True, False, False, True]).reshape(1, 2, 3, 1)


@pytest.mark.parametrize(
    ("class_name", "hparams", "shapes", "fixed"),
    [
        (
            "AnomalyBCEWithLogits",
            {"pos_weight": 3.0},
            {"predictions": (1, 2, 3, 1)},
            {"targets": TRUTH},
        ),
        ("SelectorEntropyRegularizer", {"weight": 0.5}, {"weights": (7,)}, {}),
        ("SelectorEntropyRegularizer", {"target_entropy": 1.0}, {"weights": (7,)}, {}),
        ("SelectorDiversityRegularizer", {"weight": 0.5}, {"weights": (7,)}, {}),
        (
            "DeepSVDDSoftBoundaryLoss",
            {"nu": 0.3},
            {"embeddings": (1, 2, 3, 4), "center": (4,)},
            {},
        ),
        ("OrthogonalityLoss", {}, {"components": (3, 5)}, {}),
        (
            "MSEReconstructionLoss",
            {},
            {"reconstruction": (1, 2, 2, 3), "target": (1, 2, 2, 3)},
            {},
        ),
        ("DistinctnessLoss", {}, {"selection_weights": (3, 5)}, {}),
        ("IoULoss", {}, {"predictions": (1, 2, 3, 1)}, {"targets": TRUTH}),
        (
            "IoULoss",
            {"normalize_method": "minmax"},
            {"predictions": (1, 2, 3, 1)},
            {"targets": TRUTH},
        ),
    ],
)
def test_gradients(class_name, hparams, shapes, fixed):
    loss_node = made(class_name, **hparams).double()
    generator = torch.Generator().manual_seed(4)
    leaves = tuple(
        torch.rand(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in shapes.values()
    )

    def loss(*values):
        return loss_node(**dict(zip(shapes, values, strict=False)), **fixed, context=CONTEXT)[
            "loss"
        ]

    assert torch.autograd.gradcheck(loss, (*leaves, *loss_node.parameters()))


@pytest.mark.parametrize(
    ("class_name", "hparams", "keys"),
    [
        ("AnomalyBCEWithLogits", {}, {}),
        (
            "AnomalyBCEWithLogits",
            {"pos_weight": 2.0},
            {"_pos_weight": (1,), "loss_fn.pos_weight": (1,)},
        ),
        ("DeepSVDDSoftBoundaryLoss", {}, {"r_unconstrained": ()}),
        ("IoULoss", {}, {}),
    ],
)
def test_state_keys_are_the_published_ones(class_name, hparams, keys):
    state = made(class_name, **hparams).state_dict()
    assert {key: tuple(value.shape) for key, value in state.items()} == keys


@pytest.mark.parametrize(
    ("class_name", "hparams"),
    [
        ("AnomalyBCEWithLogits", {"reduction": "none"}),
        ("AnomalyBCEWithLogits", {"pos_weight": 0.0}),
        ("DeepSVDDSoftBoundaryLoss", {"nu": 1.0}),
        ("IoULoss", {"normalize_method": "softmax"}),
        ("OrthogonalityLoss", {"execution_stages": ["train"]}),
    ],
)
def test_invalid_hparams_of_losses_are_refused(class_name, hparams):
    with pytest.raises(GraphInvalid, match=next(iter(hparams))):
        made(class_name, **hparams)


@pytest.mark.parametrize(
    ("class_name", "inputs"),
    [
        ("AnomalyBCEWithLogits", {"predictions": (1, 2, 2, 1), "targets": (1, 2, 1, 1)}),
        ("IoULoss", {"predictions": (1, 2, 2, 1), "targets": (1, 1, 2, 1)}),
        ("MSEReconstructionLoss", {"reconstruction": (1, 2, 2, 3), "target": (1, 2, 2, 1)}),
        ("DeepSVDDSoftBoundaryLoss", {"embeddings": (1, 2, 2, 3), "center": (1,)}),
    ],
)
def test_shapes_that_would_need_broadcasting_are_refused(class_name, inputs):
    loss_node = made(class_name)
    with pytest.raises(InvalidInput, match=f"input '{list(inputs)[1]}'"):
        loss_node(**{port: torch.zeros(shape) for port, shape in inputs.items()}, context=CONTEXT)


def test_losses_never_run_at_inference():
    loss_node = made("IoULoss")
    assert not loss_node.runs_at(Stage.INFERENCE)
    assert all(loss_node.runs_at(stage) for stage in (Stage.TRAIN, Stage.VAL, Stage.TEST))
