"""Keeps the channels within a range of wavelengths."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node import Node
from fleet_engine.graph.node_category import NodeCategory
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec, describe


@published("cuvis_ai.node.preprocessors.BandpassByWavelength")
class BandpassByWavelength(Node):
    """Keeps the channels with ``min_wavelength_nm <= wavelength <= max_wavelength_nm``.

    Args:
        min_wavelength_nm: lowest wavelength, nm.
        max_wavelength_nm: highest wavelength, nm; None: no limit.

    Raises:
        ValueError: the range is empty.
    """

    CATEGORY = NodeCategory.TRANSFORM
    TAGS = (NodeTag.HYPERSPECTRAL, NodeTag.DIM_REDUCTION, NodeTag.PREPROCESSING)
    INPUT_SPECS: ClassVar[Ports] = {
        "data": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "wavelengths": PortSpec(torch.int32, (-1,), "nm, of each channel"),
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "filtered": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC of the channels kept")
    }
    PIXEL_PORTS = frozenset({"data", "filtered"})

    def __init__(
        self, min_wavelength_nm: float, max_wavelength_nm: float | None = None, **hparams: Any
    ) -> None:
        super().__init__(
            min_wavelength_nm=min_wavelength_nm, max_wavelength_nm=max_wavelength_nm, **hparams
        )
        self.low_nm = min_wavelength_nm
        self.high_nm = float("inf") if max_wavelength_nm is None else max_wavelength_nm
        if self.low_nm > self.high_nm:
            raise ValueError(
                f"hparam 'max_wavelength_nm' is {self.high_nm}; it must not be below the "
                f"{self.low_nm} of min_wavelength_nm"
            )

    def forward(self, data: Tensor, wavelengths: Tensor, **_: Any) -> dict[str, Tensor]:
        """Keep the channels in the range.

        Args:
            data: cube_BHWC, float32.
            wavelengths: [C], nm.

        Returns:
            filtered, float32, [B, H, W, remaining channels], in their order.

        Raises:
            InvalidInput: the wavelengths do not match the cube, or none is in the range.
        """
        channels = data.shape[-1]
        if wavelengths.shape != (channels,):
            raise self.refuse(
                "wavelengths", describe(wavelengths), f"one for each of the {channels} channels"
            )
        kept_K = ((wavelengths >= self.low_nm) & (wavelengths <= self.high_nm)).nonzero().squeeze(1)
        kept = kept_K.tolist()
        if not kept:
            raise self.refuse(
                "wavelengths",
                f"{int(wavelengths.min())} to {int(wavelengths.max())} nm, none of them in range",
                f"some from {self.low_nm:g} to {self.high_nm:g} nm, as the hparams require",
            )
        if kept[-1] - kept[0] + 1 == len(kept):
            # Usually the wavelengths are sorted, and adjacent channels need no copy.
            return {"filtered": data.narrow(-1, kept[0], len(kept))}
        return {"filtered": data.index_select(-1, kept_K)}
