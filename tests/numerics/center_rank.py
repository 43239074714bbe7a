"""One of several processes that train together: ``python -m tests.numerics.center_rank``.

Arguments: folder, rank, world size. Each process writes its final centre.
"""

import sys
from pathlib import Path

import torch
import torch.distributed as dist

from fleet_engine import Context, Stage
from fleet_engine.nodes.detectors.deep_svdd_center_tracker import DeepSVDDCenterTracker

STEPS = 2


def batch(step: int) -> torch.Tensor:
    """Embeddings of four measurements."""
    return torch.randn(4, 5, 3, 3, generator=torch.Generator().manual_seed(step))


def center(rank: int, world_size: int) -> torch.Tensor:
    """Fit, then train on the measurements of this process; the first one has fewer."""
    tracker = DeepSVDDCenterTracker(rep_dim=3, alpha=0.25)
    tracker.statistical_initialization([{"embeddings": batch(STEPS)}])
    start, end = (0, 1, 4)[rank : rank + 2] if world_size > 1 else (0, 4)
    for step in range(STEPS):
        tracker(embeddings=batch(step)[start:end], context=Context(Stage.TRAIN))
    return tracker.state_dict()["_tracked_center"]


def main() -> None:
    folder, rank, world_size = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    meeting = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world_size)
    torch.save(center(rank, world_size), folder / f"{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
