"""A `WorkerGroup` as Lightning sees it."""

from lightning.fabric.plugins import ClusterEnvironment

from fleet_engine.training.distributed.worker_group import WorkerGroup


class GroupEnvironment(ClusterEnvironment):
    """Tells Lightning of a `WorkerGroup`."""

    def __init__(self, group: WorkerGroup) -> None:
        self._group = group

    @property
    def creates_processes_externally(self) -> bool:
        """Lightning starts no processes."""
        return True

    @property
    def main_address(self) -> str:
        """Host of rank 0."""
        return self._group.address

    @property
    def main_port(self) -> int:
        """TCP port there."""
        return self._group.port

    @staticmethod
    def detect() -> bool:
        """Never chosen by itself."""
        return False

    def world_size(self) -> int:
        """Processes of the group."""
        return self._group.world_size

    def set_world_size(self, size: int) -> None:
        """Fixed; nothing to set."""

    def global_rank(self) -> int:
        """Number of this process."""
        return self._group.rank

    def set_global_rank(self, rank: int) -> None:
        """Fixed; nothing to set."""

    def local_rank(self) -> int:
        """Number of this process on its host."""
        return self._group.local_rank

    def node_rank(self) -> int:
        """Number of this host."""
        return self._group.node_rank
