"""What the selectors that make a three-channel image of a cube have in common."""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import Ports, PortSpec, describe

_LEAST_WIDTH = 1e-8


class ChannelSelector(Node):
    """Picks three bands and scales each to [0, 1] as an image.

    ``rgb_k = (x_k - min x_k) / max(max x_k - min x_k, 1e-8)``, with minimum and maximum over the
    pixels of one measurement.
    """

    INPUT_SPECS: ClassVar[Ports] = {
        "cube": PortSpec(torch.float32, (-1, -1, -1, -1), "cube_BHWC"),
        "wavelengths": PortSpec(torch.int32, (-1,), "nm, of each channel"),
    }
    OUTPUT_SPECS: ClassVar[Ports] = {
        "rgb_image": PortSpec(torch.float32, (-1, -1, -1, 3), "each channel in [0, 1]"),
        "band_info": PortSpec(None, (), "which bands were picked, and how"),
    }

    def wavelengths_of(self, cube: Tensor, wavelengths: Tensor) -> list[float]:
        """Return the wavelengths, nm.

        Raises:
            InvalidInput: not one for each channel of the cube.
        """
        if wavelengths.shape != cube.shape[-1:]:
            raise self.refuse(
                "wavelengths",
                describe(wavelengths),
                f"one for each of the cube's {cube.shape[-1]} channels",
            )
        return [float(nm) for nm in wavelengths.tolist()]

    def image_of(
        self,
        cube: Tensor,
        bands: Sequence[int],
        wavelengths_nm: Sequence[float],
        **info: Any,
    ) -> dict[str, Any]:
        """Return the outputs for the bands picked; `info` joins the `band_info`."""
        picked_BHWK = cube[..., list(bands)]
        low = picked_BHWK.amin(dim=(1, 2), keepdim=True)
        high = picked_BHWK.amax(dim=(1, 2), keepdim=True)
        return {
            "rgb_image": (picked_BHWK - low) / torch.clamp(high - low, min=_LEAST_WIDTH),
            "band_info": {
                "band_indices": list(bands),
                "band_wavelengths_nm": [wavelengths_nm[band] for band in bands],
                **info,
            },
        }
