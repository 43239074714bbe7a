"""In-memory stores for tests, of services and of plug-ins.

They pass the same contract tests as the stores of the product. No product package imports this one.
"""

from fleet_platform.testing.memory_artifact_store import MemoryArtifactStore
from fleet_platform.testing.memory_profiling_store import MemoryProfilingStore
from fleet_platform.testing.memory_run_store import MemoryRunStore
from fleet_platform.testing.memory_session_store import MemorySessionStore

__all__ = [
    "MemoryArtifactStore",
    "MemoryProfilingStore",
    "MemoryRunStore",
    "MemorySessionStore",
]
