"""Checkpoint writing that reports volume errors clearly."""

from typing import Any

from lightning.pytorch.plugins.io import TorchCheckpointIO

from fleet_platform.files import volume_answers


class OutputVolume(TorchCheckpointIO):
    """Writes like Lightning, and raises this project's errors for a full or broken volume."""

    def save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Write a checkpoint.

        Raises:
            Exhausted: no space is left.
            DependencyDown: the volume cannot be written to.
        """
        with volume_answers("output"):
            super().save_checkpoint(*args, **kwargs)

    def remove_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Remove a checkpoint that is no longer among the best; raises likewise."""
        with volume_answers("output"):
            super().remove_checkpoint(*args, **kwargs)
