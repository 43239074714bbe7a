"""A node that returns its input until it fails; tests make it available by NODE_PACKAGES."""

import errno
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from fleet_engine import Context, Node, PortSpec

SECRET = "/srv/secret"
_MAPS = PortSpec(torch.float32, (-1, -1, -1, -1))
_TOO_MUCH = 2**50


class Faulty(Node):
    """Fails with `fault` in the stage `when`, after so many successful calls."""

    INPUT_SPECS: ClassVar = {"data": _MAPS}
    OUTPUT_SPECS: ClassVar = {"passed": _MAPS}

    def __init__(
        self, fault: str, when: str = "train", after: int = 0, folder: str = "", **hparams
    ):
        super().__init__(fault=fault, when=when, after=after, folder=folder, **hparams)
        self.fault, self.when, self.good, self.folder = fault, when, after, folder

    def forward(self, data: Tensor, context: Context, **_: object) -> dict[str, Tensor]:
        if context.stage.value != self.when:
            return {"passed": data}
        self.good -= 1
        if self.good >= 0:
            return {"passed": data}
        return {"passed": getattr(self, f"_{self.fault}")(data)}

    def _nan(self, data: Tensor) -> Tensor:
        return data * float("nan")

    def _infinite(self, data: Tensor) -> Tensor:
        return data.abs() * 1e30 * 1e30

    def _exploding_gradient(self, data: Tensor) -> Tensor:
        data.register_hook(lambda gradient: gradient * float("inf"))
        return data

    def _device_memory(self, _: Tensor) -> Tensor:
        # The error that torch raises if the memory of a GPU is exhausted.
        raise torch.OutOfMemoryError(f"CUDA out of memory. Tried to allocate 2 GiB. {SECRET}")

    def _cublas_memory(self, _: Tensor) -> Tensor:
        raise RuntimeError(f"CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling {SECRET}")

    def _host_memory(self, _: Tensor) -> Tensor:
        return torch.empty(_TOO_MUCH)

    def _numpy_memory(self, _: Tensor) -> Tensor:
        return torch.from_numpy(np.empty(_TOO_MUCH, np.float32))

    def _defect(self, _: Tensor) -> Tensor:
        raise KeyError(SECRET)

    def _broken_disk(self, _: Tensor) -> Tensor:
        raise OSError(errno.EIO, SECRET)

    def _full_disk(self, data: Tensor) -> Tensor:
        """Fill the volume of `folder`, so that the next file cannot be written there."""
        with (Path(self.folder) / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(bytes(4096))
            except OSError:
                return data
