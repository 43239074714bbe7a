"""Supervised selection of one band in each window of the visible spectrum."""

from typing import Any, ClassVar

from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.nodes.selectors.band_choice import best_in_windows
from fleet_engine.nodes.selectors.band_lookup import Windows, as_lists
from fleet_engine.nodes.selectors.supervised_selector import (
    BandCount,
    ScoreWeights,
    SupervisedSelector,
)


@published("cuvis_ai.node.channel_selector.SupervisedWindowedSelector")
class SupervisedWindowedSelector(SupervisedSelector):
    """`SupervisedSelector` that chooses one band in each of three windows.

    Args:
        num_spectral_bands: channels of the cube.
        windows: nm, lower and upper end for each channel of the image.
        score_weights: weights of Fisher score, AUC and mutual information.
        lambda_penalty: weight of the redundancy.

    Raises:
        ValueError: the lower end of a window is above its upper end.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.RGB, NodeTag.HYPERSPECTRAL, NodeTag.DIM_REDUCTION, NodeTag.PREPROCESSING)
    STRATEGY: ClassVar[str] = "supervised_windowed_false_rgb"

    def __init__(
        self,
        num_spectral_bands: BandCount,
        windows: Windows = ((440.0, 500.0), (500.0, 580.0), (610.0, 700.0)),
        score_weights: ScoreWeights = (1.0, 1.0, 1.0),
        lambda_penalty: float = 0.5,
        **hparams: Any,
    ) -> None:
        super().__init__(
            num_spectral_bands, score_weights, lambda_penalty, windows=as_lists(windows), **hparams
        )
        self.windows = windows

    def choose(
        self, scores_C: Tensor, correlation_CC: Tensor, wavelengths_nm: list[float]
    ) -> list[int]:
        """Return one band for each window."""
        return best_in_windows(
            scores_C, correlation_CC, wavelengths_nm, self.windows, self.lambda_penalty
        )

    def extra_info(self) -> dict[str, Any]:
        """Return the windows."""
        return {"windows_nm": as_lists(self.windows)}
