"""Writing of checkpoints that tells what ails the volume."""

from typing import Any

from lightning.pytorch.plugins.io import TorchCheckpointIO

from fleet_platform.files import volume_answers


class OutputVolume(TorchCheckpointIO):
    """Writes as Lightning does; a volume that is full or broken is told as ours."""

    def save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Write a checkpoint.

        Raises:
            Exhausted: no space is left.
            DependencyDown: the volume cannot be written.
        """
        with volume_answers("output"):
            super().save_checkpoint(*args, **kwargs)

    def remove_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        """Remove one that is not among the best any more; raises likewise."""
        with volume_answers("output"):
            super().remove_checkpoint(*args, **kwargs)
