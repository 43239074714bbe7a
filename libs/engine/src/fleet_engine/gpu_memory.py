"""GPU memory of this host as metrics."""

from collections.abc import Iterator

import pynvml

from fleet_platform.telemetry import MetricRegistry
from fleet_platform.telemetry.catalogue import metrics


def watch_gpu_memory(registry: MetricRegistry) -> None:
    """Export the memory of all NVIDIA GPUs as gauges; does nothing on a host without GPUs.

    The values come from the driver and not from torch, which would allocate memory on each GPU.
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
