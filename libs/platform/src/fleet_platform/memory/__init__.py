"""Memory of a process, and its return to the operating system."""

from fleet_platform.memory.heap import Heap
from fleet_platform.memory.memory_return import MemoryReturn, start_memory_return
from fleet_platform.memory.resident import resident_bytes

__all__ = ["Heap", "MemoryReturn", "resident_bytes", "start_memory_return"]
