"""The processes that train one pipeline together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch

_PATIENCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class WorkerGroup:
    """One process's place among those that train together; all are started by the caller.

    Attributes:
        rank: number of this process, from 0.
        world_size: how many there are.
        local_rank: number of this process on its host.
        node_rank: number of this host.
        address: host of the process of rank 0.
        port: TCP port there, free for the group.
    """

    rank: int
    world_size: int
    local_rank: int
    node_rank: int
    address: str
    port: int

    @contextmanager
    def joined(self, device: torch.device) -> Iterator[None]:
        """Be a member of the group: collective operations work inside, and wait at most 5 min."""
        torch.distributed.init_process_group(
            "nccl" if device.type == "cuda" else "gloo",
            init_method=f"tcp://{self.address}:{self.port}",
            rank=self.rank,
            world_size=self.world_size,
            timeout=_PATIENCE,
        )
        try:
            yield
        finally:
            torch.distributed.destroy_process_group()
