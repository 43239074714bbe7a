"""Settings of the inference service."""

from pydantic import Field

from fleet_platform.engine_settings import EngineSettings
from fleet_platform.settings import GIB


class InferenceSettings(EngineSettings):
    """How the inference service runs, over and above what every service has."""

    pipeline_cache_bytes: int = Field(default=2 * GIB, ge=0)
    """Memory of the pipelines that stand ready, in bytes; the last used stays."""

    device: str = "auto"
    """Where pipelines run, as torch names it (``cpu``, ``cuda:1``); ``auto``: a GPU if any."""

    shared_memory: bool = True
    """Whether requests may name tensors in the host's POSIX shared memory (``shm_ref``)."""

    torch_threads: int | None = Field(default=None, ge=1)
    """Threads that work on the tiles of one cube on the CPU; unset: one for each core."""
