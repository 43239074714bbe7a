"""Run lengths compared with pycocotools, where it is correct."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as pycocotools

from fleet_engine.data.run_lengths import decode_run_lengths


@given(
    arrays.arrays(
        np.uint8,
        arrays.array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.integers(0, 1),
    )
)
def test_results_of_pycocotools_are_decoded(mask):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        counts = pycocotools.encode(np.asfortranarray(mask))["counts"].decode()
    np.testing.assert_array_equal(decode_run_lengths(counts, mask.shape), mask)


@given(st.text(max_size=20) | st.lists(st.integers(-5, 50), max_size=8))
def test_other_input_is_decoded_completely_or_refused(counts):
    try:
        mask = decode_run_lengths(counts, (6, 5))
    except ValueError:
        return
    assert mask.shape == (6, 5)


@pytest.mark.parametrize("counts", ["", "04", "o" * 1000, "P", [30, 1], [29], [-1, 31], []])
def test_runs_that_do_not_add_up_are_refused(counts):
    with pytest.raises(ValueError, match="run lengths"):
        decode_run_lengths(counts, (6, 5))
