"""Where training computes."""

import torch

from fleet_platform.telemetry import logger
from fleet_trainer.settings import TrainerSettings

_log = logger("fleet.trainer")


def open_device(settings: TrainerSettings) -> torch.device:
    """The device of the settings, woken up so that the first run does not pay for it."""
    if settings.torch_threads is not None:
        torch.set_num_threads(settings.torch_threads)
    device = _chosen(settings.device)
    # The first factorisation loads the linear algebra libraries, on a GPU its context as well.
    torch.linalg.pinv(torch.eye(2, device=device))
    _log.info("device.ready", device=str(device), threads=torch.get_num_threads())
    return device


def _chosen(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)
