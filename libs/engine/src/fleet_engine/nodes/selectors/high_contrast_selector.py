"""Image made of the bands with the highest contrast in three windows."""

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
    """Image made of the bands with the highest ``var(x) + alpha * mean |laplacian(x)|``.

    The variance (divided by n) and the five-point Laplacian (with replicated edge pixels) are
    computed for each band of one measurement, in float64. As in the published node, the first
    measurement of a batch determines the bands for the whole batch.

    Args:
        windows: nm, lower and upper end for each channel of the image; an empty window
            selects the band nearest to its middle.
        alpha: weight of the Laplacian.

    Raises:
        ValueError: the lower end of a window is above its upper end.
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
        """Return the band with the highest contrast in each window, in the first measurement."""
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
    """Return the five-point Laplacian of each image, with replicated edge pixels."""
    wide = functional.pad(images_KHW.unsqueeze(0), (1, 1, 1, 1), mode="replicate").squeeze(0)
    return (
        wide[:, 1:-1, :-2]
        + wide[:, 1:-1, 2:]
        + wide[:, :-2, 1:-1]
        + wide[:, 2:, 1:-1]
        - 4 * images_KHW
    )
