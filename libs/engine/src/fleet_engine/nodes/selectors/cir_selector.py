"""Colour infrared image made of near infrared, red and green."""

from typing import Any

from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.nodes.selectors.band_lookup import nearest_band
from fleet_engine.nodes.selectors.channel_selector import ChannelSelector


@published("cuvis_ai.node.channel_selector.CIRSelector")
class CIRSelector(ChannelSelector):
    """Image with near infrared shown as red, red as green and green as blue.

    Args:
        nir_nm: wavelength shown as red.
        red_nm: wavelength shown as green.
        green_nm: wavelength shown as blue.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.RGB, NodeTag.HYPERSPECTRAL, NodeTag.DIM_REDUCTION, NodeTag.PREPROCESSING)

    def __init__(
        self,
        nir_nm: float = 860.0,
        red_nm: float = 670.0,
        green_nm: float = 560.0,
        **hparams: Any,
    ) -> None:
        super().__init__(nir_nm=nir_nm, red_nm=red_nm, green_nm=green_nm, **hparams)
        self.targets_nm = [float(nir_nm), float(red_nm), float(green_nm)]

    def bands(self, cube: Tensor, wavelengths_nm: list[float]) -> list[int]:
        """Return the bands nearest to the three wavelengths."""
        return [nearest_band(wavelengths_nm, nm) for nm in self.targets_nm]

    def strategy_info(self) -> dict[str, Any]:
        """Return the wavelengths and which of them is shown in which colour."""
        return {
            "strategy": "cir_false_color",
            "target_wavelengths_nm": list(self.targets_nm),
            "channel_mapping": {"R": "NIR", "G": "Red", "B": "Green"},
        }
