"""The committed weights of the short pipelines result from a fit to the scene of the demo."""

import numpy as np
import pytest

from fleet_engine import build_pipeline
from fleet_engine.weights import fitted_nodes, load_weights, state_of
from tools import pretrain


@pytest.mark.parametrize("name", ["channel_selector", "rx_statistical"])
def test_the_committed_weights_are_those_of_the_fit(name):
    fitted = pretrain.pretrained(name)
    loaded = build_pipeline(fitted.config)
    load_weights(loaded, (pretrain.FOLDER / f"{name}.pt").read_bytes(), strict=True)

    assert fitted_nodes(loaded) == fitted_nodes(fitted)
    got, expected = state_of(loaded), state_of(fitted)
    assert got.keys() == expected.keys()
    for node, values in expected.items():
        for key, value in values.items():
            scale = float(value.abs().max())
            np.testing.assert_allclose(
                got[node][key], value, rtol=1e-3, atol=1e-3 * scale, err_msg=f"{node}.{key}"
            )


def test_every_weights_file_is_written_by_the_script():
    assert {file.stem for file in pretrain.FOLDER.rglob("*.pt")} == set(pretrain.NAMES)
