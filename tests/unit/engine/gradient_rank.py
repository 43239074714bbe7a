"""One of several processes that train together: ``python -m tests.unit.engine.gradient_rank``.

Arguments: scene, folder, rank, world size, port. Rank 0 writes the state and the losses.
"""

import sys
from pathlib import Path

import torch

from fleet_engine.training import Hook, WorkerGroup
from tests.support.scenes.gradient_scene import Training, job_of


def main() -> None:
    scene, folder = Path(sys.argv[1]), Path(sys.argv[2])
    rank, world_size, port = map(int, sys.argv[3:6])
    torch.set_num_threads(1)
    group = WorkerGroup(rank, world_size, rank, 0, "127.0.0.1", port)
    alone = world_size == 1
    # Two processes split a batch, so that a step uses the same measurements.
    job = job_of(
        scene,
        batch_size=2 // world_size,
        devices=world_size,
        group=None if alone else group,
        data={"train_ids": [0, 1, 2, 3], "val_ids": [5, 6]},
    )
    if alone:
        training = Training(job, folder).run()
    else:
        with group.joined(torch.device("cpu")):
            training = Training(job, folder).run()
    if rank == 0:
        losses = [e.losses for e in training.events if e.hook is Hook.VALIDATION_END]
        metrics = [e.metrics for e in training.events if e.hook is Hook.VALIDATION_END]
        result = {"state": training.state(), "losses": losses, "metrics": metrics}
        torch.save(result, folder / f"{world_size}.pt")


if __name__ == "__main__":
    main()
