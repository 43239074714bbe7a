"""Which device computes."""

import torch


def choose_device(text: str) -> torch.device:
    """The device for a setting: ``auto`` is the first GPU, or the CPU where there is none.

    Raises:
        ValueError: the device does not exist here.
    """
    if text == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(text)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"DEVICE={text}: this machine has no such device.") from error
    return device
