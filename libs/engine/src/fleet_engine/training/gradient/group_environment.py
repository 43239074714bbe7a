"""Adapter from `WorkerGroup` to Lightning."""

from lightning.fabric.plugins import ClusterEnvironment

from fleet_engine.training.distributed.worker_group import WorkerGroup


class GroupEnvironment(ClusterEnvironment):
    """A Lightning cluster environment backed by a `WorkerGroup`."""

    def __init__(self, group: WorkerGroup) -> None:
        self._group = group

    @property
    def creates_processes_externally(self) -> bool:
        """True: Lightning must not start processes."""
        return True

    @property
    def main_address(self) -> str:
        """The host of rank 0."""
        return self._group.address

    @property
    def main_port(self) -> int:
        """The TCP port on the host of rank 0."""
        return self._group.port

    @staticmethod
    def detect() -> bool:
        """False: never detected automatically."""
        return False

    def world_size(self) -> int:
        """The number of processes of the group."""
        return self._group.world_size

    def set_world_size(self, size: int) -> None:
        """Do nothing: the value is fixed."""

    def global_rank(self) -> int:
        """The number of this process."""
        return self._group.rank

    def set_global_rank(self, rank: int) -> None:
        """Do nothing: the value is fixed."""

    def local_rank(self) -> int:
        """The number of this process on its host."""
        return self._group.local_rank

    def node_rank(self) -> int:
        """The number of this host."""
        return self._group.node_rank
