"""Selection of bands by wavelength, and labels by class id."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fleet_engine.graph.errors import GraphInvalid
from fleet_platform.errors import InvalidInput
from tests.numerics.single_node import CONTEXT, made, run, scene, state_shapes

BANDPASS = "cuvis_ai.node.preprocessors.BandpassByWavelength"
LABELS = "cuvis_ai.node.labels.BinaryAnomalyLabelMapper"
IDS = st.lists(st.integers(0, 4), unique=True)


def bandpass(data, wavelengths, low, high=None):
    node = made(BANDPASS, min_wavelength_nm=low, max_wavelength_nm=high)
    assert state_shapes(node) == {}
    given_wavelengths = torch.tensor(wavelengths, dtype=torch.int32)
    return run(node, "data", data, wavelengths=given_wavelengths)["filtered"]


@settings(max_examples=50, deadline=None)
@given(
    wavelengths=st.lists(st.integers(400, 420), min_size=1, max_size=12),
    low=st.integers(400, 420),
    width=st.none() | st.integers(0, 10),
)
def test_bandpass(wavelengths, low, width):
    high = None if width is None else low + width
    kept = [i for i, nm in enumerate(wavelengths) if nm >= low and (high is None or nm <= high)]
    data = scene((2, 3, 2), len(wavelengths), 0)
    if kept:
        assert np.array_equal(bandpass(data, wavelengths, low, high), data[..., kept])
    else:
        with pytest.raises(InvalidInput, match="none of them in range"):
            bandpass(data, wavelengths, low, high)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 0, 2, 1]])
def test_gradients_of_the_bandpass(order):
    wavelengths = torch.tensor([400, 500, 600, 700], dtype=torch.int32)[order]
    node = made(BANDPASS, min_wavelength_nm=500, max_wavelength_nm=600)
    data = torch.ones(1, 1, 1, 4, requires_grad=True)
    node(data=data, wavelengths=wavelengths)["filtered"].sum().backward()
    assert data.grad.flatten().tolist() == [float(i in (1, 2)) for i in order]


def test_bandpass_refuses_wavelengths_of_another_cube():
    with pytest.raises(InvalidInput, match=r"'wavelengths': got int32 \[3\].*each of the 4 chan"):
        bandpass(scene((1, 2, 2), 4, 0), [400, 500, 600], 450)


def test_an_empty_range_is_refused():
    with pytest.raises(GraphInvalid, match=r"max_wavelength_nm.* must not be below"):
        made(BANDPASS, min_wavelength_nm=600, max_wavelength_nm=500)


@settings(max_examples=50, deadline=None)
@given(
    normal=IDS,
    anomalous=st.none() | IDS,
    classes=hnp.arrays(np.int32, st.tuples(st.just(1), st.integers(1, 4), st.integers(1, 4))),
)
def test_labels(normal, anomalous, classes):
    classes = classes[..., None] % 6
    cube = torch.from_numpy(scene(classes.shape[:3], 2, 0))
    hparams = {"normal_class_ids": normal, "anomaly_class_ids": anomalous}
    if set(normal) & set(anomalous or ()):
        with pytest.raises(GraphInvalid, match="in normal_class_ids and in anomaly_class_ids"):
            made(LABELS, **hparams)
        return
    mapper = made(LABELS, **hparams)
    assert state_shapes(mapper) == {}
    got = mapper(cube=cube, mask=torch.from_numpy(classes), context=CONTEXT)
    expected = ~np.isin(classes, normal) if anomalous is None else np.isin(classes, anomalous)
    assert got["cube"] is cube
    assert got["mask"].dtype == torch.bool
    assert np.array_equal(got["mask"].numpy(), expected)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16, torch.int64])
def test_class_ids_of_any_integer_dtype(dtype):
    mask = torch.arange(4).reshape(1, 2, 2, 1).to(dtype)
    got = made(LABELS, normal_class_ids=[0, 2])(
        cube=torch.zeros(1, 2, 2, 3), mask=mask, context=CONTEXT
    )
    assert got["mask"].flatten().tolist() == [False, True, False, True]


@pytest.mark.parametrize(
    "mask",
    [torch.zeros(1, 2, 2, 1), torch.zeros(1, 2, 2).int(), torch.zeros(1, 3, 2, 1).int()],
    ids=["floats", "rank", "extent"],
)
def test_labels_refuse_a_mask_that_does_not_match(mask):
    with pytest.raises(InvalidInput, match=r"expected integer class ids \[1, 2, 2, 1\]"):
        made(LABELS, normal_class_ids=[0])(cube=torch.zeros(1, 2, 2, 3), mask=mask, context=CONTEXT)


def test_gradients_pass_the_label_mapper():
    mapper = made(LABELS, normal_class_ids=[0])
    cube = torch.ones(1, 1, 1, 2, requires_grad=True)
    got = mapper(cube=cube, mask=torch.ones(1, 1, 1, 1, dtype=torch.int32), context=CONTEXT)
    assert got["cube"].requires_grad
    assert not got["mask"].requires_grad
