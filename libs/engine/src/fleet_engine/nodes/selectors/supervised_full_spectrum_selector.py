"""Supervised selection of bands from the whole spectrum."""

from typing import Annotated, Any, ClassVar

from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.nodes.selectors.band_choice import best_overall
from fleet_engine.nodes.selectors.supervised_selector import ScoreWeights, SupervisedSelector


@published("cuvis_ai.node.channel_selector.SupervisedFullSpectrumSelector")
class SupervisedFullSpectrumSelector(SupervisedSelector):
    """`SupervisedSelector` that chooses three different bands from the whole spectrum.

    Args:
        num_spectral_bands: channels of the cube, at least 3.
        score_weights: weights of Fisher score, AUC and mutual information.
        lambda_penalty: weight of the redundancy.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.RGB, NodeTag.HYPERSPECTRAL, NodeTag.DIM_REDUCTION, NodeTag.PREPROCESSING)
    STRATEGY: ClassVar[str] = "supervised_full_spectrum"

    def __init__(
        self,
        num_spectral_bands: Annotated[int, Field(ge=3, le=16384)],
        score_weights: ScoreWeights = (1.0, 1.0, 1.0),
        lambda_penalty: float = 0.5,
        **hparams: Any,
    ) -> None:
        super().__init__(num_spectral_bands, score_weights, lambda_penalty, **hparams)

    def choose(
        self, scores_C: Tensor, correlation_CC: Tensor, wavelengths_nm: list[float]
    ) -> list[int]:
        """Return the three bands, beginning with the best score."""
        del wavelengths_nm
        return best_overall(scores_C, correlation_CC, 3, self.lambda_penalty)
