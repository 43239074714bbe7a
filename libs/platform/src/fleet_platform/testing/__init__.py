"""In-memory stores for testing services and plugins.

They pass the same contract tests as the product's stores. No product package imports this one.
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
