"""The memory of this host's GPUs, as the driver tells it."""

from collections.abc import Iterator

import pynvml

from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics


def watch_gpu_memory(registry: MetricRegistry) -> None:
    """Have the memory of all NVIDIA GPUs told in `registry`; nothing where there is none.

    The driver is asked and not torch, which would take memory of its own on each GPU.
    """
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return
    registry.watch(metrics.GPU_MEMORY_USED_BYTES, lambda: _memory("used"))
    registry.watch(metrics.GPU_MEMORY_TOTAL_BYTES, lambda: _memory("total"))


def _memory(part: str) -> Iterator[tuple[dict[str, str], float]]:
    for index in range(pynvml.nvmlDeviceGetCount()):
        memory = pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(index))
        yield {"gpu": str(index)}, getattr(memory, part)
