"""Counts reported by processes that have no metrics endpoint."""

import json
from collections import Counter
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

_ADDABLE = frozenset({"counter", "histogram"})
_CREATED_SUFFIX = "_created"
_Key = tuple[str, tuple[tuple[str, str], ...]]
_Counts = dict[str, Counter[_Key]]


class ReportedCounts:
    """Sums of counters and histograms over child processes, including those that have ended.

    A report contains all counts since the start of its process, so that losing one does no harm.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: dict[int, _Counts] = {}
        self._ended: _Counts = {}

    def report(self, source: int, report: str) -> tuple[str, ...]:
        """Replace the previous report of a process.

        Args:
            source: Id of the process; call `forget` before another process can have the same id.
            report: The result of `report_of` in that process.

        Returns:
            The names of the families in it.
        """
        counts: _Counts = {
            family: Counter({_key(name, labels): value for name, labels, value in samples})
            for family, samples in json.loads(report).items()
        }
        with self._lock:
            self._running[source] = counts
        return tuple(counts)

    def forget(self, source: int) -> None:
        """Mark a process as ended; its counts stay in the sums."""
        with self._lock:
            for family, counts in self._running.pop(source, {}).items():
                self._ended.setdefault(family, Counter()).update(counts)

    def added_to(self, family: Family) -> Family:
        """Return `family` with the sums added to its samples; unchanged if there are no sums."""
        sums = self._sums_of(family.name)
        if not sums:
            return family
        merged = Family(family.name, family.documentation, family.type, family.unit)
        for sample in family.samples:
            more = sums.pop(_key(sample.name, sample.labels), 0.0)
            merged.samples.append(sample._replace(value=sample.value + more))
        merged.samples += [
            Sample(name, dict(labels), value) for (name, labels), value in sums.items()
        ]
        return merged

    def _sums_of(self, family: str) -> Counter[_Key]:
        with self._lock:
            sums: Counter[_Key] = Counter()
            for counts in (self._ended, *self._running.values()):
                sums.update(counts.get(family, {}))
            return sums


def report_of(registry: CollectorRegistry) -> str:
    """Return the counters and histograms of a registry as one line of JSON."""
    return json.dumps(
        {
            family.name: [
                (sample.name, sample.labels, sample.value)
                for sample in family.samples
                if not sample.name.endswith(_CREATED_SUFFIX)
            ]
            for family in registry.collect()
            if family.type in _ADDABLE
        }
    )


def _key(name: str, labels: dict[str, str]) -> _Key:
    return name, tuple(sorted(labels.items()))
