"""Deep SVDD from cube to score, run in tiles, against float64 numpy."""

import numpy as np
import torch

from fleet_engine import build_pipeline
from tests.support.scenes.pipelines import DATA, config, fit, infer, node

DEEP_SVDD = "cuvis_ai.anomaly.deep_svdd."
EDGES = (
    ("data.cube", "bandpass.data"),
    ("data.wavelengths", "bandpass.wavelengths"),
    ("bandpass.filtered", "unit.data"),
    ("unit.normalized", "z_score.data"),
    ("z_score.normalized", "projection.data"),
    ("projection.embeddings", "center.embeddings"),
    ("projection.embeddings", "scores.embeddings"),
    ("center.center", "scores.center"),
)
CHANNELS, KEPT = 61, 27
WAVELENGTHS = np.linspace(430, 910, CHANNELS).astype(np.int32)


def built():
    return build_pipeline(
        config(
            [
                node("data", DATA, normal_class_ids=[0, 1]),
                node(
                    "bandpass",
                    "cuvis_ai.node.preprocessors.BandpassByWavelength",
                    min_wavelength_nm=700,
                ),
                node("unit", "cuvis_ai.node.normalization.PerPixelUnitNorm"),
                node("z_score", DEEP_SVDD + "ZScoreNormalizerGlobal", num_channels=KEPT),
                node("projection", DEEP_SVDD + "DeepSVDDProjection", in_channels=KEPT),
                node("center", DEEP_SVDD + "DeepSVDDCenterTracker", rep_dim=32),
                node("scores", DEEP_SVDD + "DeepSVDDScores"),
            ],
            EDGES,
        )
    )


def cube(count, size, seed):
    rng = np.random.default_rng(seed)
    spectra = rng.uniform(500, 3000, (5, CHANNELS))
    shares = rng.dirichlet(np.ones(5), (count, size, size))
    noisy = shares @ spectra + rng.normal(0, 20, (count, size, size, CHANNELS))
    return np.clip(noisy, 0, 4095).astype(np.uint16)


def batch(cube_BHWC):
    return {"cube": torch.from_numpy(cube_BHWC), "wavelengths": torch.from_numpy(WAVELENGTHS)}


def unit_spectra(cube_BHWC):
    kept = cube_BHWC[..., WAVELENGTHS >= 700].astype(np.float64)
    centred = kept - kept.mean(axis=-1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=-1, keepdims=True)


def test_the_whole_pipeline():
    train, test = cube(3, 40, 1), cube(1, 150, 2)
    pipeline = fit(built(), *(batch(one[None]) for one in train))
    outputs = infer(pipeline, batch(test))

    spectra = unit_spectra(train).reshape(-1, KEPT)
    mean, std = spectra.mean(axis=0), spectra.std(axis=0, ddof=1) + 1e-8
    network = {
        key: value.detach().numpy().astype(np.float64)
        for key, value in pipeline.nodes["projection"].state_dict().items()
    }

    def embed(cube_BHWC):
        standard = (unit_spectra(cube_BHWC) - mean) / std
        hidden = standard @ network["net.fc1.weight"].T + network["net.fc1.bias"]
        return np.maximum(hidden, 0) @ network["net.fc2.weight"].T

    center = embed(train).reshape(-1, 32).mean(axis=0)
    np.testing.assert_allclose(outputs["center.center"].numpy(), center, rtol=1e-4, atol=1e-5)
    scores = np.square(embed(test) - center).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(outputs["scores.scores"].numpy(), scores, rtol=1e-3)


def test_inference_keeps_the_center_and_runs_in_one_pass_over_the_pixels():
    pipeline = fit(built(), batch(cube(1, 20, 1)))
    before = pipeline.nodes["center"]._tracked_center.clone()
    infer(pipeline, batch(cube(1, 150, 2)), "scores")
    assert torch.equal(pipeline.nodes["center"]._tracked_center, before)
    assert all(node_.pixel_ports for node_ in pipeline.nodes.values())
