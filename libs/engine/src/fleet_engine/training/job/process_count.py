"""The number of processes of a training."""

from fleet_platform.errors import InvalidInput
from fleet_schemas import TrainingConfig


def process_count(training: TrainingConfig) -> int:
    """Return the number of processes per host that `training.devices` requests; default: one.

    Raises:
        InvalidInput: the setting is neither a number nor a list of GPU numbers.
    """
    devices = training.devices
    if isinstance(devices, str):
        text = devices.strip()
        if text in {"", "auto", "-1"}:
            return 1
        parts = text.split(",") if "," in text else [text]
        if not all(part.strip().isdigit() for part in parts):
            raise InvalidInput(
                f"training.devices '{devices}' is neither a number nor a list such as '0,1'."
            )
        return len(parts) if "," in text else int(text)
    if devices is None or devices == -1:
        return 1
    if devices < 1:
        raise InvalidInput(f"training.devices is {devices}; it must be at least 1.")
    return devices
