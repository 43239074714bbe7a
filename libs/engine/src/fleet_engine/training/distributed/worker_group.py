"""The processes that train one pipeline together."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch

_TIMEOUT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class WorkerGroup:
    """The position of a process among those that train together; the caller starts them.

    Attributes:
        rank: number of this process, from 0.
        world_size: number of processes.
        local_rank: number of this process on its host.
        node_rank: number of this host.
        address: host of the process with rank 0.
        port: free TCP port on that host.
    """

    rank: int
    world_size: int
    local_rank: int
    node_rank: int
    address: str
    port: int

    @contextmanager
    def joined(self, device: torch.device) -> Iterator[None]:
        """Join the group for the block; collective operations in it wait for at most 5 minutes."""
        torch.distributed.init_process_group(
            "nccl" if device.type == "cuda" else "gloo",
            init_method=f"tcp://{self.address}:{self.port}",
            rank=self.rank,
            world_size=self.world_size,
            timeout=_TIMEOUT,
        )
        try:
            yield
        finally:
            torch.distributed.destroy_process_group()
