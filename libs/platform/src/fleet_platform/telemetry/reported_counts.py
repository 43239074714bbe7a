"""What processes count that have no port of their own."""

import json
from collections import Counter
from threading import Lock

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.samples import Sample

_ADDABLE = frozenset({"counter", "histogram"})
_BIRTH = "_created"
_Key = tuple[str, tuple[tuple[str, str], ...]]
_Counts = dict[str, Counter[_Key]]


class ReportedCounts:
    """Sums of counters and histograms over processes, those that have ended included.

    A report holds all that its process counted since it began, so that one may be lost.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._living: dict[int, _Counts] = {}
        self._ended: _Counts = {}

    def report(self, source: int, report: str) -> tuple[str, ...]:
        """Take over a report, in place of the last one of this source.

        Args:
            source: which process; `forget` it before another may have the same number.
            report: as `report_of` made it.

        Returns:
            The families that it has.
        """
        counts: _Counts = {
            family: Counter({_key(name, labels): value for name, labels, value in samples})
            for family, samples in json.loads(report).items()
        }
        with self._lock:
            self._living[source] = counts
        return tuple(counts)

    def forget(self, source: int) -> None:
        """The process has ended; what it counted stays in the sums."""
        with self._lock:
            for family, counts in self._living.pop(source, {}).items():
                self._ended.setdefault(family, Counter()).update(counts)

    def added_to(self, family: Family) -> Family:
        """`family` with these sums added to its samples; the same object where there are none."""
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
            for counts in (self._ended, *self._living.values()):
                sums.update(counts.get(family, {}))
            return sums


def report_of(registry: CollectorRegistry) -> str:
    """Counters and histograms of a registry as one line of text."""
    return json.dumps(
        {
            family.name: [
                (sample.name, sample.labels, sample.value)
                for sample in family.samples
                if not sample.name.endswith(_BIRTH)
            ]
            for family in registry.collect()
            if family.type in _ADDABLE
        }
    )


def _key(name: str, labels: dict[str, str]) -> _Key:
    return name, tuple(sorted(labels.items()))
