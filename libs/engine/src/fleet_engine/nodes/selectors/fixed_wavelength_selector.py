"""The bands nearest to three given wavelengths."""

from typing import Any

from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.nodes.selectors.band_lookup import nearest_band
from fleet_engine.nodes.selectors.channel_selector import ChannelSelector


@published("cuvis_ai.node.channel_selector.FixedWavelengthSelector")
class FixedWavelengthSelector(ChannelSelector):
    """Image of the bands nearest to the wavelengths asked for.

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

    def forward(self, cube: Tensor, wavelengths: Tensor, **_: Any) -> dict[str, Any]:
        """Pick and scale.

        Args:
            cube: cube_BHWC, float32.
            wavelengths: [C], nm, int32.

        Returns:
            rgb_image [B, H, W, 3], float32, and band_info.

        Raises:
            InvalidInput: not one wavelength for each channel.
        """
        wavelengths_nm = self.wavelengths_of(cube, wavelengths)
        return self.image_of(
            cube,
            [nearest_band(wavelengths_nm, nm) for nm in self.targets_nm],
            wavelengths_nm,
            strategy="baseline_false_rgb",
            target_wavelengths_nm=list(self.targets_nm),
        )
