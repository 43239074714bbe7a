"""Category and keywords of each built-in node class, in one table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from fleet_engine.descriptions.node_category import NodeCategory
from fleet_engine.descriptions.node_tag import NodeTag


class NodeLabel(NamedTuple):
    """Where a palette shows a node, and the words by which it is found.

    Attributes:
        category: what the node is for.
        tags: its keywords, in the order of the wire's numbers.
    """

    category: NodeCategory = NodeCategory.UNSPECIFIED
    tags: tuple[NodeTag, ...] = ()


_CUBE = (NodeTag.HYPERSPECTRAL,)
_LOOK = (NodeTag.IMAGE,)
_DIFFERENTIABLE = (NodeTag.DIFFERENTIABLE,)
_LEARNABLE = (NodeTag.LEARNABLE, *_DIFFERENTIABLE)
_SCALING = (*_CUBE, NodeTag.PREPROCESSING, NodeTag.NORMALIZATION)
_BANDS = (*_CUBE, NodeTag.DIM_REDUCTION, NodeTag.PREPROCESSING)
_COLOURS = (NodeTag.RGB, *_BANDS)
_DETECTOR = (*_CUBE, NodeTag.ANOMALY)
_DECIDER = (NodeTag.MASK, NodeTag.SEGMENTATION, NodeTag.ANOMALY, NodeTag.POSTPROCESSING)
_PENALTY = (NodeTag.TRAINING, *_DIFFERENTIABLE)
_MASK_LOSS = (NodeTag.MASK, NodeTag.SEGMENTATION, *_PENALTY)
_FIGURE = (NodeTag.EVALUATION,)
_PICTURE = (*_LOOK, NodeTag.ANOMALY, NodeTag.EVALUATION)

_GROUPS: Mapping[NodeCategory, Mapping[str, tuple[NodeTag, ...]]] = {
    NodeCategory.SOURCE: {"LentilsAnomalyDataNode": (*_CUBE, NodeTag.MASK, NodeTag.ANOMALY)},
    NodeCategory.TRANSFORM: {
        "BandpassByWavelength": _BANDS,
        "BinaryAnomalyLabelMapper": (NodeTag.MASK, NodeTag.ANOMALY, NodeTag.PREPROCESSING),
        "CIRSelector": _COLOURS,
        "FixedWavelengthSelector": _COLOURS,
        "HighContrastSelector": _COLOURS,
        "IdentityNormalizer": (*_SCALING, *_DIFFERENTIABLE),
        "MinMaxNormalizer": (*_SCALING, *_LEARNABLE),
        "PerPixelUnitNorm": (*_SCALING, *_DIFFERENTIABLE),
        "ScoreToLogit": (NodeTag.ANOMALY, NodeTag.POSTPROCESSING, *_LEARNABLE),
        "SigmoidNormalizer": (*_SCALING, *_DIFFERENTIABLE),
        "SigmoidTransform": (NodeTag.ANOMALY, NodeTag.POSTPROCESSING, *_DIFFERENTIABLE),
        "SupervisedCIRSelector": _COLOURS,
        "SupervisedFullSpectrumSelector": _COLOURS,
        "SupervisedWindowedSelector": _COLOURS,
        "TopKIndices": _BANDS,
        "ZScoreNormalizer": (*_SCALING, *_DIFFERENTIABLE),
        "ZScoreNormalizerGlobal": (*_SCALING, *_LEARNABLE),
    },
    NodeCategory.MODEL: {
        "ConcreteChannelMixer": (*_COLOURS, *_LEARNABLE, NodeTag.STOCHASTIC),
        "DeepSVDDCenterTracker": (
            NodeTag.EMBEDDING,
            NodeTag.ANOMALY,
            *_LEARNABLE,
            NodeTag.STATEFUL,
        ),
        "DeepSVDDProjection": (
            *_CUBE,
            NodeTag.EMBEDDING,
            NodeTag.DIM_REDUCTION,
            NodeTag.ANOMALY,
            *_LEARNABLE,
        ),
        "DeepSVDDScores": (NodeTag.EMBEDDING, NodeTag.ANOMALY, *_DIFFERENTIABLE),
        "LADGlobal": (*_DETECTOR, *_LEARNABLE),
        "LearnableChannelMixer": (*_COLOURS, *_LEARNABLE),
        "RXGlobal": (*_DETECTOR, *_LEARNABLE),
        "RXPerBatch": (*_DETECTOR, *_DIFFERENTIABLE),
        "SoftChannelSelector": (*_BANDS, *_LEARNABLE),
        "TrainablePCA": (*_BANDS, *_LEARNABLE),
    },
    NodeCategory.CONTROL: {
        "BinaryDecider": (*_DECIDER, NodeTag.CALIBRATION),
        "QuantileBinaryDecider": (*_DECIDER, NodeTag.CALIBRATION),
        "TwoStageBinaryDecider": _DECIDER,
    },
    NodeCategory.LOSS: {
        "AnomalyBCEWithLogits": _MASK_LOSS,
        "DeepSVDDSoftBoundaryLoss": (
            NodeTag.EMBEDDING,
            NodeTag.ANOMALY,
            NodeTag.TRAINING,
            *_LEARNABLE,
        ),
        "IoULoss": _MASK_LOSS,
        "MSEReconstructionLoss": (NodeTag.RECONSTRUCTION, *_PENALTY),
    },
    NodeCategory.REGULARIZER: {
        "DistinctnessLoss": (NodeTag.DIM_REDUCTION, *_PENALTY),
        "OrthogonalityLoss": (NodeTag.DIM_REDUCTION, *_PENALTY),
        "SelectorDiversityRegularizer": (NodeTag.DIM_REDUCTION, *_PENALTY),
        "SelectorEntropyRegularizer": (NodeTag.DIM_REDUCTION, *_PENALTY),
    },
    NodeCategory.METRIC: {
        "AnomalyDetectionMetrics": (NodeTag.MASK, NodeTag.ANOMALY, *_FIGURE),
        "AnomalyPixelStatisticsMetric": (NodeTag.MASK, NodeTag.ANOMALY, *_FIGURE),
        "ComponentOrthogonalityMetric": (NodeTag.DIM_REDUCTION, *_FIGURE),
        "ExplainedVarianceMetric": (NodeTag.DIM_REDUCTION, *_FIGURE),
        "ScoreStatisticsMetric": (NodeTag.ANOMALY, *_FIGURE),
        "SelectorDiversityMetric": (NodeTag.DIM_REDUCTION, *_FIGURE),
        "SelectorEntropyMetric": (NodeTag.DIM_REDUCTION, *_FIGURE),
    },
    NodeCategory.VISUALIZER: {
        "AnomalyMask": _PICTURE,
        "CubeRGBVisualizer": (*_LOOK, NodeTag.RGB, *_CUBE, *_FIGURE),
        "PCAVisualization": (*_LOOK, NodeTag.DIM_REDUCTION, *_FIGURE),
        "PipelineComparisonVisualizer": _PICTURE,
        "RGBAnomalyMask": (*_LOOK, NodeTag.RGB, NodeTag.ANOMALY, *_FIGURE),
        "ScoreHeatmapVisualizer": _PICTURE,
    },
    NodeCategory.SINK: {"TensorBoardMonitorNode": (NodeTag.METADATA, NodeTag.TRAINING)},
}

NODE_LABELS: Mapping[str, NodeLabel] = MappingProxyType(
    {
        name: NodeLabel(category, (*tags, NodeTag.TORCH))
        for category, members in _GROUPS.items()
        for name, tags in members.items()
    }
)
"""By name of the class; a test holds it equal to the catalogue."""
