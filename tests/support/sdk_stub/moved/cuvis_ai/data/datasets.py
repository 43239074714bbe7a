"""Where `run_inference.py` looks for the published reader."""

from launch_published import provide_torchvision

provide_torchvision()

from cuvis_ai_core.data.datasets import SingleCu3sDataset  # noqa: E402 - needs torchvision's names

__all__ = ["SingleCu3sDataset"]
