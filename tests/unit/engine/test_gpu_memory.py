"""Memory of GPUs as metrics, with a fake driver library."""

from types import SimpleNamespace

import pynvml
import pytest

from fleet_engine.gpu_memory import watch_gpu_memory
from fleet_platform.telemetry import MetricRegistry

USED = "fleet_gpu_memory_used_bytes"
TOTAL = "fleet_gpu_memory_total_bytes"
TAKEN_BYTES = [5, 7]


@pytest.fixture
def registry():
    return MetricRegistry()


def test_each_gpu_is_measured_at_every_scrape(registry, monkeypatch):
    taken = list(TAKEN_BYTES)
    stand_in = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: len(taken),
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetMemoryInfo": lambda index: SimpleNamespace(used=taken[index], total=10),
    }
    for name, function in stand_in.items():
        monkeypatch.setattr(pynvml, name, function)
    watch_gpu_memory(registry)
    taken[1] = 9
    assert [registry.get_sample_value(USED, {"gpu": str(gpu)}) for gpu in (0, 1)] == [5, 9]
    assert [registry.get_sample_value(TOTAL, {"gpu": str(gpu)}) for gpu in (0, 1)] == [10, 10]


def test_a_host_without_the_driver_exports_nothing(registry, monkeypatch):
    def absent():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", absent)
    watch_gpu_memory(registry)
    assert list(registry.collect()) == []
