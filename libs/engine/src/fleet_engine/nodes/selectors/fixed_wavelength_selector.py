"""Image made of the bands nearest to three given wavelengths."""

from typing import Any

from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.nodes.selectors.band_lookup import nearest_band
from fleet_engine.nodes.selectors.channel_selector import ChannelSelector


@published("cuvis_ai.node.channel_selector.FixedWavelengthSelector")
class FixedWavelengthSelector(ChannelSelector):
    """Image made of the bands nearest to the requested wavelengths.

    Args:
        target_wavelengths: nm, for red, green and blue.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.RGB, NodeTag.HYPERSPECTRAL, NodeTag.DIM_REDUCTION, NodeTag.PREPROCESSING)

    def __init__(
        self,
        target_wavelengths: tuple[float, float, float] = (650.0, 550.0, 450.0),
        **hparams: Any,
    ) -> None:
        super().__init__(target_wavelengths=list(target_wavelengths), **hparams)
        self.targets_nm = [float(nm) for nm in target_wavelengths]

    def bands(self, cube: Tensor, wavelengths_nm: list[float]) -> list[int]:
        """Return the bands nearest to the three wavelengths."""
        return [nearest_band(wavelengths_nm, nm) for nm in self.targets_nm]

    def strategy_info(self) -> dict[str, Any]:
        """Return the wavelengths."""
        return {
            "strategy": "baseline_false_rgb",
            "target_wavelengths_nm": list(self.targets_nm),
        }
