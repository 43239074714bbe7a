"""The nodes of cuvis-ai 0.4.0 and their test cases.

Shape letters: B batch, H height, W width, C bands, D embedding, K components.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Inputs = Mapping[str, np.ndarray]

_RNG = np.random.default_rng(7)
BHW = (2, 9, 8)
BANDS = 7
WIDE = 61
WAVELENGTHS = np.linspace(430, 910, WIDE).astype(np.int32)


@dataclass(frozen=True)
class NodeCase:
    """One node with one choice of hparams.

    Attributes:
        id: name of the case.
        path: class path of the published package.
        inputs: by port.
        hparams: as in a pipeline file.
        fit: inputs of each batch of the fit; empty: no fit.
        stage: stage of the run.
        epoch: epoch of the run.
        training: whether modules are in training mode.
        sign_free: state keys and outputs with arbitrary sign, such as principal axes.
    """

    id: str
    path: str
    inputs: Inputs
    hparams: Mapping[str, Any] = field(default_factory=dict)
    fit: tuple[Inputs, ...] = ()
    stage: str = "inference"
    epoch: int = 0
    training: bool = False
    sign_free: frozenset[str] = frozenset()


def _cube(bands: int = BANDS) -> np.ndarray:
    """Return cube_BHWC, float32: correlated bands with different levels and spreads."""
    mixing = _RNG.normal(size=(bands, bands)) * np.linspace(1.0, 3.0, bands)
    return (_RNG.normal(size=(*BHW, bands)) @ mixing + np.arange(bands)).astype(np.float32)


def _mask(share: float = 0.2) -> np.ndarray:
    """mask_BHW1, bool."""
    return _RNG.random((*BHW, 1)) < share


CUBE = _cube()
FIT_CUBES = tuple({"data": _cube()} for _ in range(2))
POSITIVE = np.abs(CUBE) + 0.1
REFLECTANCE = np.abs(_cube(WIDE)) / 20
SCORES = _RNG.normal(size=(*BHW, 1)).astype(np.float32) * 3
FIT_SCORES = tuple({"scores": np.abs(SCORES) + index} for index in range(2))
DECISIONS, TARGETS = _mask(), _mask(0.3)
CLASSES = _RNG.integers(0, 4, size=BHW).astype(np.int32)
WEIGHTS = _RNG.random(BANDS).astype(np.float32)
COMPONENTS = _RNG.normal(size=(3, BANDS)).astype(np.float32)
EMBEDDINGS = _RNG.normal(size=(*BHW, 4)).astype(np.float32)
CENTER = _RNG.normal(size=4).astype(np.float32)
RGB = _RNG.random((*BHW, 3)).astype(np.float32)
SELECTION = np.abs(COMPONENTS) / np.abs(COMPONENTS).sum(axis=1, keepdims=True)

SPECTRAL = {"cube": REFLECTANCE, "wavelengths": WAVELENGTHS}
LABELLED = tuple(
    {"cube": np.abs(_cube(WIDE)) / 20, "wavelengths": WAVELENGTHS, "mask": _mask(0.3)}
    for _ in range(2)
)

SVDD = "cuvis_ai.anomaly.deep_svdd."
RX = "cuvis_ai.anomaly.rx_detector."
DECIDER = "cuvis_ai.deciders.binary_decider."
FIGURE = "cuvis_ai.node.anomaly_visualization."
MIXER = "cuvis_ai.node.channel_mixer."
SELECTOR = "cuvis_ai.node.channel_selector."
LOSS = "cuvis_ai.node.losses."
METRIC = "cuvis_ai.node.metrics."
NORM = "cuvis_ai.node.normalization."
PLOT = "cuvis_ai.node.pipeline_visualization."


def _case(id_: str, path: str, inputs: Inputs, /, **more: Any) -> NodeCase:
    keys = ("fit", "stage", "epoch", "training", "sign_free")
    said = {key: more.pop(key) for key in keys if key in more}
    return NodeCase(id_, path, inputs, hparams=more, **said)


def _supervised(name: str, **hparams: Any) -> NodeCase:
    return _case(
        name,
        f"{SELECTOR}{name}",
        LABELLED[0],
        num_spectral_bands=WIDE,
        fit=LABELLED,
        **hparams,
    )


CASES = (
    _case("projection", f"{SVDD}DeepSVDDProjection", {"data": CUBE}, in_channels=BANDS, rep_dim=4),
    _case(
        "projection, rbf",
        f"{SVDD}DeepSVDDProjection",
        {"data": CUBE},
        in_channels=BANDS,
        rep_dim=4,
        hidden=16,
        kernel="rbf",
        n_rff=32,
    ),
    _case(
        "projection, in pieces",
        f"{SVDD}DeepSVDDProjection",
        {"data": CUBE},
        in_channels=BANDS,
        mlp_forward_batch_size=10,
    ),
    _case(
        "z-score, global",
        f"{SVDD}ZScoreNormalizerGlobal",
        {"data": CUBE},
        num_channels=BANDS,
        fit=FIT_CUBES,
    ),
    _case("distances", f"{SVDD}DeepSVDDScores", {"embeddings": EMBEDDINGS, "center": CENTER}),
    *(
        _case(
            f"center, {stage}, update_in_eval={update}",
            f"{SVDD}DeepSVDDCenterTracker",
            {"embeddings": EMBEDDINGS},
            rep_dim=4,
            update_in_eval=update,
            fit=({"embeddings": EMBEDDINGS * 2}, {"embeddings": EMBEDDINGS + 1}),
            stage=stage,
        )
        for stage, update in (("train", False), ("val", False), ("val", True), ("inference", True))
    ),
    *(
        _case(
            f"LAD, normalised={normalised}",
            "cuvis_ai.anomaly.lad_detector.LADGlobal",
            {"data": CUBE},
            num_channels=BANDS,
            normalize_laplacian=normalised,
            fit=FIT_CUBES,
        )
        for normalised in (True, False)
    ),
    *(
        _case(
            f"RX, cache_inverse={cached}",
            f"{RX}RXGlobal",
            {"data": CUBE},
            num_channels=BANDS,
            cache_inverse=cached,
            fit=FIT_CUBES,
        )
        for cached in (True, False)
    ),
    _case("RX per batch", f"{RX}RXPerBatch", {"data": CUBE}),
    _case("decider", f"{DECIDER}BinaryDecider", {"logits": SCORES}, threshold=0.7),
    _case("quantile decider", f"{DECIDER}QuantileBinaryDecider", {"logits": SCORES}, quantile=0.9),
    _case(
        "quantile decider, over the batch",
        f"{DECIDER}QuantileBinaryDecider",
        {"logits": SCORES},
        quantile=0.8,
        reduce_dims=[0, 1, 2, 3],
    ),
    _case(
        "quantile decider, by column",
        f"{DECIDER}QuantileBinaryDecider",
        {"logits": SCORES},
        quantile=0.5,
        reduce_dims=[1],
    ),
    *(
        _case(
            f"two-stage decider, {threshold}",
            "cuvis_ai.deciders.two_stage_decider.TwoStageBinaryDecider",
            {"logits": np.concatenate([SCORES[:1], SCORES[1:] / 4])},
            image_threshold=threshold,
            top_k_fraction=0.1,
            quantile=0.9,
        )
        for threshold in (0.2, 0.8, 0.99)
    ),
    _case(
        "anomaly mask",
        f"{FIGURE}AnomalyMask",
        {"decisions": DECISIONS, "mask": TARGETS, "cube": CUBE, "scores": SCORES},
        channel=2,
        stage="val",
    ),
    _case(
        "anomaly mask without truth",
        f"{FIGURE}AnomalyMask",
        {"decisions": DECISIONS, "cube": CUBE},
        channel=2,
        up_to=1,
        stage="val",
    ),
    _case("heat map", f"{FIGURE}ScoreHeatmapVisualizer", {"scores": SCORES}, up_to=1, stage="val"),
    _case(
        "anomaly mask over RGB",
        f"{FIGURE}RGBAnomalyMask",
        {"decisions": DECISIONS, "mask": TARGETS, "rgb_image": RGB, "scores": SCORES},
        stage="val",
    ),
    *(
        _case(
            f"mixer, {method}",
            f"{MIXER}LearnableChannelMixer",
            {"data": CUBE},
            input_channels=BANDS,
            output_channels=3,
            init_method=method,
        )
        for method in ("xavier", "kaiming", "zeros")
    ),
    _case(
        "mixer, pca",
        f"{MIXER}LearnableChannelMixer",
        {"data": CUBE},
        input_channels=BANDS,
        output_channels=3,
        init_method="pca",
        normalize_output=False,
        use_activation=False,
        use_bias=False,
        fit=FIT_CUBES,
        sign_free=frozenset({"conv_layers.0.weight", "conv.weight", "rgb"}),
    ),
    _case(
        "mixer, in steps",
        f"{MIXER}LearnableChannelMixer",
        {"data": CUBE},
        input_channels=BANDS,
        output_channels=3,
        reduction_scheme=[BANDS, 5, 3],
    ),
    *(
        _case(
            f"concrete mixer, {stage}, hard={hard}",
            f"{MIXER}ConcreteChannelMixer",
            {"data": CUBE},
            input_channels=BANDS,
            use_hard_inference=hard,
            max_epochs=5,
            epoch=3,
            stage=stage,
        )
        for stage, hard in (("train", True), ("val", True), ("inference", True), ("val", False))
    ),
    _case("fixed wavelengths", f"{SELECTOR}FixedWavelengthSelector", SPECTRAL),
    _case(
        "other wavelengths",
        f"{SELECTOR}FixedWavelengthSelector",
        SPECTRAL,
        target_wavelengths=[900.0, 711.0, 433.0],
    ),
    _case("high contrast", f"{SELECTOR}HighContrastSelector", SPECTRAL),
    _case("CIR", f"{SELECTOR}CIRSelector", SPECTRAL),
    _supervised("SupervisedCIRSelector"),
    _supervised("SupervisedWindowedSelector", score_weights=[1.0, 2.0, 0.5]),
    _supervised("SupervisedFullSpectrumSelector", lambda_penalty=0.9),
    *(
        _case(
            f"soft selector, {method}, hard={hard}, training={training}",
            f"{SELECTOR}SoftChannelSelector",
            {"data": CUBE},
            n_select=3,
            input_channels=BANDS,
            init_method=method,
            hard=hard,
            training=training,
            fit=FIT_CUBES,
        )
        for method, hard, training in (
            ("uniform", False, False),
            ("variance", False, True),
            ("variance", True, False),
            ("variance", True, True),
        )
    ),
    _case("top k", f"{SELECTOR}TopKIndices", {"weights": WEIGHTS}, k=3),
    *(
        _case(
            f"PCA, {method}, whiten={whiten}",
            "cuvis_ai.node.dimensionality_reduction.TrainablePCA",
            {"data": CUBE},
            num_channels=BANDS,
            n_components=3,
            whiten=whiten,
            init_method=method,
            fit=FIT_CUBES,
            sign_free=frozenset({"_components", "components", "projected"}),
        )
        for method, whiten in (("svd", False), ("svd", True))
    ),
    *(
        _case(
            f"label mapper, anomalies {anomalies}",
            "cuvis_ai.node.labels.BinaryAnomalyLabelMapper",
            {"cube": CUBE, "mask": CLASSES[..., None]},
            normal_class_ids=[0, 1],
            anomaly_class_ids=anomalies,
        )
        for anomalies in (None, [3])
    ),
    *(
        _case(
            f"data, anomalies {anomalies}",
            "cuvis_ai.node.data.LentilsAnomalyDataNode",
            {
                "cube": _RNG.integers(0, 65536, size=(*BHW, WIDE)).astype(np.uint16),
                "mask": CLASSES,
                "wavelengths": np.tile(WAVELENGTHS, (BHW[0], 1)),
            },
            normal_class_ids=[0, 1],
            anomaly_class_ids=anomalies,
        )
        for anomalies in (None, [3])
    ),
    _case(
        "logit",
        "cuvis_ai.node.conversion.ScoreToLogit",
        {"scores": SCORES},
        init_scale=0.5,
        fit=FIT_SCORES,
    ),
    *(
        _case(
            f"bandpass up to {highest}",
            "cuvis_ai.node.preprocessors.BandpassByWavelength",
            {"data": REFLECTANCE, "wavelengths": WAVELENGTHS},
            min_wavelength_nm=700.0,
            max_wavelength_nm=highest,
        )
        for highest in (None, 806.0)
    ),
    _case("orthogonality loss", f"{LOSS}OrthogonalityLoss", {"components": COMPONENTS}, weight=2.0),
    *(
        _case(
            f"BCE, pos_weight={weight}, {reduction}",
            f"{LOSS}AnomalyBCEWithLogits",
            {"predictions": SCORES, "targets": TARGETS},
            weight=10.0,
            pos_weight=weight,
            reduction=reduction,
            stage="train",
        )
        for weight, reduction in ((None, "mean"), (3.0, "mean"), (None, "sum"))
    ),
    _case(
        "MSE loss",
        f"{LOSS}MSEReconstructionLoss",
        {"reconstruction": CUBE, "target": POSITIVE},
        weight=0.5,
    ),
    _case("distinctness loss", f"{LOSS}DistinctnessLoss", {"selection_weights": SELECTION}),
    *(
        _case(
            f"entropy regulariser, target {target}",
            f"{LOSS}SelectorEntropyRegularizer",
            {"weights": WEIGHTS},
            weight=0.3,
            target_entropy=target,
        )
        for target in (None, 1.5)
    ),
    _case("diversity regulariser", f"{LOSS}SelectorDiversityRegularizer", {"weights": WEIGHTS}),
    _case(
        "soft boundary loss",
        f"{LOSS}DeepSVDDSoftBoundaryLoss",
        {"embeddings": EMBEDDINGS, "center": CENTER},
        nu=0.1,
        weight=2.0,
    ),
    *(
        _case(
            f"IoU loss, {method}",
            f"{LOSS}IoULoss",
            {"predictions": SCORES, "targets": TARGETS},
            normalize_method=method,
        )
        for method in ("sigmoid", "clamp", "minmax")
    ),
    _case(
        "explained variance",
        f"{METRIC}ExplainedVarianceMetric",
        {"explained_variance_ratio": np.array([0.6, 0.3, 0.05], np.float32)},
        stage="val",
    ),
    _case(
        "detection metrics",
        f"{METRIC}AnomalyDetectionMetrics",
        {"decisions": DECISIONS, "targets": TARGETS, "logits": SCORES},
        stage="val",
    ),
    _case(
        "detection metrics without logits",
        f"{METRIC}AnomalyDetectionMetrics",
        {"decisions": DECISIONS, "targets": TARGETS},
        stage="test",
    ),
    _case(
        "score statistics",
        f"{METRIC}ScoreStatisticsMetric",
        {"scores": SCORES[..., 0]},
        stage="val",
    ),
    _case(
        "component orthogonality",
        f"{METRIC}ComponentOrthogonalityMetric",
        {"components": COMPONENTS},
        stage="val",
    ),
    _case("selector entropy", f"{METRIC}SelectorEntropyMetric", {"weights": WEIGHTS}, stage="val"),
    _case(
        "selector diversity", f"{METRIC}SelectorDiversityMetric", {"weights": WEIGHTS}, stage="val"
    ),
    _case(
        "pixel statistics",
        f"{METRIC}AnomalyPixelStatisticsMetric",
        {"decisions": DECISIONS},
        stage="val",
    ),
    _case("identity", f"{NORM}IdentityNormalizer", {"data": CUBE}),
    _case("min-max, running", f"{NORM}MinMaxNormalizer", {"data": CUBE}, fit=FIT_CUBES),
    _case("min-max", f"{NORM}MinMaxNormalizer", {"data": CUBE}, use_running_stats=False),
    _case("sigmoid normaliser", f"{NORM}SigmoidNormalizer", {"data": CUBE}),
    _case("z-score", f"{NORM}ZScoreNormalizer", {"data": CUBE}),
    _case("z-score by band", f"{NORM}ZScoreNormalizer", {"data": CUBE}, dims=[1, 2]),
    _case("sigmoid", f"{NORM}SigmoidTransform", {"data": SCORES}),
    _case("unit norm", f"{NORM}PerPixelUnitNorm", {"data": CUBE}),
    _case(
        "weighted false colours",
        f"{PLOT}CubeRGBVisualizer",
        {"cube": REFLECTANCE, "weights": REFLECTANCE[0, 0, 0], "wavelengths": WAVELENGTHS},
        up_to=1,
        stage="val",
    ),
    _case("PCA figure", f"{PLOT}PCAVisualization", {"data": CUBE[..., :2]}, up_to=1, stage="val"),
    _case(
        "comparison figure",
        f"{PLOT}PipelineComparisonVisualizer",
        {
            "hsi_cube": CUBE,
            "mixer_output": RGB,
            "ground_truth_mask": TARGETS,
            "adaclip_scores": SCORES,
        },
        hsi_channels=[0, 3, 5],
        max_samples=1,
        stage="val",
    ),
    _case("monitor", "cuvis_ai.node.monitor.TensorBoardMonitorNode", {}, stage="val"),
)
