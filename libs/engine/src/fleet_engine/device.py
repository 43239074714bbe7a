"""The torch device that a service computes on."""

import torch

from fleet_platform.telemetry import logger

_log = logger("fleet.engine")


def choose_device(name: str) -> torch.device:
    """Return the device for the setting DEVICE.

    Args:
        name: A torch device such as ``cpu`` or ``cuda:1``; ``auto``: the first GPU, else the CPU.

    Raises:
        ValueError: this machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        if device.type == "cuda":
            # Counted, not used: a process that only checks the setting allocates nothing there.
            exists = (device.index or 0) < torch.cuda.device_count()
        else:
            torch.empty(0, device=device)
            exists = True
    except (RuntimeError, AssertionError) as error:
        raise ValueError(_no_such_device(name)) from error
    if not exists:
        raise ValueError(_no_such_device(name))
    return device


def open_device(name: str, threads: int | None) -> torch.device:
    """Choose a device and initialise it, so that the first computation need not wait for that.

    Args:
        name: As for `choose_device`.
        threads: CPU threads of one operation; None: torch's default, all cores.

    Raises:
        ValueError: this machine has no such device.
    """
    if threads is not None:
        torch.set_num_threads(threads)
    device = choose_device(name)
    # The first factorisation loads the linear algebra libraries, on a GPU its context as well.
    torch.linalg.pinv(torch.eye(2, device=device))
    _log.info("device.ready", device=str(device), threads=torch.get_num_threads())
    return device


def _no_such_device(name: str) -> str:
    return f"DEVICE={name}: this machine has no such device."
