"""Settings of the trainer service."""

from pydantic import Field

from fleet_platform.engine_settings import EngineSettings


class TrainerSettings(EngineSettings):
    """The settings of one trainer, which its worker processes receive unchanged."""

    train_slots: int = Field(default=1, ge=1)
    """Maximum number of concurrent runs; each has its own worker process."""

    warm_children: int = Field(default=1, ge=0)
    """Workers kept ready with torch imported, at most `train_slots`; 0: started when needed."""

    train_queue: int = Field(default=8, ge=0)
    """Runs that may wait for a slot on any trainer; any further run is rejected with
    RESOURCE_EXHAUSTED."""

    read_ahead: int = Field(default=2, ge=0)
    """Measurements that are read ahead, and held in memory in addition to the current batch."""

    device: str = "auto"
    """Torch device, such as ``cpu`` or ``cuda:1``; ``auto``: the first GPU, else the CPU."""

    torch_threads: int | None = Field(default=None, ge=1)
    """CPU threads for one operation; unset: one per core."""

    heartbeat_s: float = Field(default=1.0, gt=0)
    """Seconds between two heartbeats of a run; a stop request reaches the run within that time."""

    lost_after_s: float = Field(default=10.0, gt=0)
    """Seconds without a heartbeat after which another trainer may resume a run."""
