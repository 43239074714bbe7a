"""The state of all random number generators of a training."""

import random
from typing import Any

import numpy as np
import torch


def seed_generators(seed: int) -> None:
    """Seed the generators of Python, NumPy and torch on all devices."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def capture_generators() -> dict[str, Any]:
    """Return the current state in values that `torch.load` reads with `weights_only=True`."""
    numbers = np.random.get_state(legacy=False)
    state = numbers["state"]
    version, internal, gauss = random.getstate()
    captured: dict[str, Any] = {
        "python": [version, list(internal), gauss],
        "numpy": {
            "key": torch.from_numpy(state["key"].astype(np.int64)),
            "pos": int(state["pos"]),
            "has_gauss": int(numbers["has_gauss"]),
            "gauss": float(numbers["gauss"]),
        },
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        captured["cuda"] = torch.cuda.get_rng_state_all()
    return captured


def restore_generators(captured: dict[str, Any]) -> None:
    """Restore a captured state; missing devices are ignored."""
    version, internal, gauss = captured["python"]
    random.setstate((version, tuple(internal), gauss))
    numbers = captured["numpy"]
    np.random.set_state(
        (
            "MT19937",
            numbers["key"].numpy().astype(np.uint32),
            numbers["pos"],
            numbers["has_gauss"],
            numbers["gauss"],
        )
    )
    torch.set_rng_state(captured["torch"])
    states = captured.get("cuda", [])
    if torch.cuda.is_available() and len(states) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(states)
