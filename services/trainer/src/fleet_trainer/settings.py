"""Settings of the trainer service."""

from pydantic import Field

from fleet_platform.engine_settings import EngineSettings


class TrainerSettings(EngineSettings):
    """How one trainer runs; its child processes get the very same values."""

    train_slots: int = Field(default=1, ge=1)
    """Runs that train at the same time, each in a child process of its own."""

    warm_children: int = Field(default=1, ge=0)
    """Children kept ready with torch imported, `train_slots` at most; 0: none waits in advance."""

    train_queue: int = Field(default=8, ge=0)
    """Runs that may wait for a slot of any trainer; one more is answered RESOURCE_EXHAUSTED."""

    read_ahead: int = Field(default=2, ge=0)
    """Measurements read before they are asked for, so held in memory beside the present batch."""

    device: str = "auto"
    """Torch device, as ``cpu`` or ``cuda:1``; ``auto``: the first GPU, else the CPU."""

    torch_threads: int | None = Field(default=None, ge=1)
    """Threads of one computation on the CPU; unset: all cores (trainer), 1 (inference)."""

    heartbeat_s: float = Field(default=1.0, gt=0)
    """Seconds between two signs of life of a run, and until a stop request reaches it at most."""

    lost_after_s: float = Field(default=10.0, gt=0)
    """Seconds without a sign of life after which a run is taken from its trainer and resumed."""
