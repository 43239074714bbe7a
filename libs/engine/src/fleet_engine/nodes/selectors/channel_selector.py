"""Base class of the selectors that turn a cube into a three-channel image."""

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import Ports, PortSpec, describe

_MIN_WIDTH = 1e-8


class ChannelSelector(Node):
    """Selects three bands and scales each to [0, 1] as an image.

    ``rgb_k = (x_k - min x_k) / max(max x_k - min x_k, 1e-8)``, with minimum and maximum over the
    pixels of one measurement. A subclass chooses the bands.
    """

    INPUT_SPECS: ClassVar[Ports] = {
        "cube": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "wavelengths": PortSpec(torch.int32, (-1,), "nm, of each channel"),
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "rgb_image": PortSpec(torch.float32, (-1, -1, -1, 3), "each channel in [0, 1]"),
        "band_info": PortSpec(None, (), "which bands were picked, and how"),
    }

    @abstractmethod
    def bands(self, cube: Tensor, wavelengths_nm: list[float]) -> list[int]:
        """Return the bands shown as red, green and blue, given cube_BHWC."""

    @abstractmethod
    def strategy_info(self) -> dict[str, Any]:
        """Return how the bands were chosen, for `band_info`."""

    def forward(self, cube: Tensor, wavelengths: Tensor, **_: Any) -> dict[str, Any]:
        """Choose three bands and scale each to [0, 1].

        Args:
            cube: cube_BHWC, float32.
            wavelengths: [C], nm, int32.

        Returns:
            rgb_image [B, H, W, 3], float32, and band_info.

        Raises:
            InvalidInput: the number of wavelengths and channels differs.
        """
        wavelengths_nm = self.wavelengths_of(cube, wavelengths)
        bands = self.bands(cube, wavelengths_nm)
        picked_BHWK = cube[..., bands]
        low = picked_BHWK.amin(dim=(1, 2), keepdim=True)
        high = picked_BHWK.amax(dim=(1, 2), keepdim=True)
        return {
            "rgb_image": (picked_BHWK - low) / torch.clamp(high - low, min=_MIN_WIDTH),
            "band_info": {
                "band_indices": list(bands),
                "band_wavelengths_nm": [wavelengths_nm[band] for band in bands],
                **self.strategy_info(),
            },
        }

    def wavelengths_of(self, cube: Tensor, wavelengths: Tensor) -> list[float]:
        """Return the wavelengths, nm.

        Raises:
            InvalidInput: their number differs from the number of channels.
        """
        if wavelengths.shape != cube.shape[-1:]:
            raise self.refuse(
                "wavelengths",
                describe(wavelengths),
                f"one for each of the cube's {cube.shape[-1]} channels",
            )
        return [float(nm) for nm in wavelengths.tolist()]
