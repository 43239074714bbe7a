"""Memory of a process, and when it goes back to the system."""

from fleet_platform.memory.heap import Heap
from fleet_platform.memory.memory_return import MemoryReturn, start_memory_return

__all__ = ["Heap", "MemoryReturn", "start_memory_return"]
