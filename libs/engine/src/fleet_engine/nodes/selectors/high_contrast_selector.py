"""In each of three windows, the band with the most contrast."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.nodes.selectors.band_lookup import Windows, as_lists, bands_in_window
from fleet_engine.nodes.selectors.channel_selector import ChannelSelector


@published("cuvis_ai.node.channel_selector.HighContrastSelector")
class HighContrastSelector(ChannelSelector):
    """Image of the bands that have the highest ``var(x) + alpha * mean |laplacian(x)|``.

    Variance (by n) and the five-point Laplacian, edge pixels repeated outwards, are taken over one
    image of the band, in float64. The first measurement of a batch picks the bands for all of it,
    as in the published node.

    Args:
        windows: nm, lower and upper end for each channel of the image; a window without a band
            takes the band nearest to its middle.
        alpha: weight of the Laplacian.

    Raises:
        ValueError: a window whose lower end is above its upper one.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.RGB, NodeTag.HYPERSPECTRAL, NodeTag.DIM_REDUCTION, NodeTag.PREPROCESSING)

    def __init__(
        self,
        windows: Windows = ((440, 500), (500, 580), (610, 700)),
        alpha: float = 0.1,
        **hparams: Any,
    ) -> None:
        super().__init__(windows=as_lists(windows), alpha=alpha, **hparams)
        self.windows = windows
        self.alpha = alpha

    def bands(self, cube: Tensor, wavelengths_nm: list[float]) -> list[int]:
        """Return the band of highest contrast in each window of the first measurement."""
        return [
            self._best(cube[0], bands_in_window(wavelengths_nm, window)) for window in self.windows
        ]

    def strategy_info(self) -> dict[str, Any]:
        """Return the windows and the weight of the Laplacian."""
        return {
            "strategy": "high_contrast",
            "windows_nm": as_lists(self.windows),
            "alpha": self.alpha,
        }

    def _best(self, image_HWC: Tensor, bands: list[int]) -> int:
        images_KHW = image_HWC.detach()[..., bands].permute(2, 0, 1).to(torch.float64)
        contrast_K = images_KHW.var(dim=(1, 2), correction=0) + self.alpha * laplacian(
            images_KHW
        ).abs().mean(dim=(1, 2))
        contrasts = contrast_K.tolist()
        return bands[max(range(len(bands)), key=contrasts.__getitem__)]


def laplacian(images_KHW: Tensor) -> Tensor:
    """Sum of the four neighbours minus four times the pixel, edge pixels repeated outwards."""
    wide = functional.pad(images_KHW.unsqueeze(0), (1, 1, 1, 1), mode="replicate").squeeze(0)
    return (
        wide[:, 1:-1, :-2]
        + wide[:, 1:-1, 2:]
        + wide[:, :-2, 1:-1]
        + wide[:, 2:, 1:-1]
        - 4 * images_KHW
    )
