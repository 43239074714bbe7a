"""Supervised selection of bands in near infrared, red and green."""

from typing import Any, ClassVar

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.nodes.selectors.band_lookup import Windows
from fleet_engine.nodes.selectors.supervised_selector import BandCount, ScoreWeights
from fleet_engine.nodes.selectors.supervised_windowed_selector import SupervisedWindowedSelector


@published("cuvis_ai.node.channel_selector.SupervisedCIRSelector")
class SupervisedCIRSelector(SupervisedWindowedSelector):
    """`SupervisedWindowedSelector` with the windows of a colour infrared image.

    Args:
        num_spectral_bands: channels of the cube.
        windows: near infrared, red and green, nm.
        score_weights: weights of Fisher score, AUC and mutual information.
        lambda_penalty: weight of the redundancy.

    Raises:
        ValueError: the lower end of a window is above its upper end.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.RGB, NodeTag.HYPERSPECTRAL, NodeTag.DIM_REDUCTION, NodeTag.PREPROCESSING)
    STRATEGY: ClassVar[str] = "supervised_cir"

    def __init__(
        self,
        num_spectral_bands: BandCount,
        windows: Windows = ((840.0, 910.0), (650.0, 720.0), (500.0, 570.0)),
        score_weights: ScoreWeights = (1.0, 1.0, 1.0),
        lambda_penalty: float = 0.5,
        **hparams: Any,
    ) -> None:
        super().__init__(num_spectral_bands, windows, score_weights, lambda_penalty, **hparams)
