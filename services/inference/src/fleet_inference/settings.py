"""Settings of the inference service."""

from pydantic import Field

from fleet_platform.engine_settings import EngineSettings
from fleet_platform.settings import GIB


class InferenceSettings(EngineSettings):
    """Settings of the inference service, in addition to those of every service."""

    pipeline_cache_bytes: int = Field(default=2 * GIB, ge=0)
    """Memory for cached pipelines in bytes; the most recently used one is always kept."""

    device: str = "auto"
    """Torch device, such as ``cpu`` or ``cuda:1``; ``auto`` uses a GPU if there is one."""

    shared_memory: bool = True
    """Whether requests may name tensors in the host's POSIX shared memory (``shm_ref``)."""

    torch_threads: int | None = Field(default=None, ge=1)
    """CPU threads that process the tiles of one cube; unset: one per core."""
