"""Guarantees of the artifact store on a volume beyond the contract."""

import errno
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from fleet_platform.artifacts import FileArtifactStore, InstrumentedArtifactStore, Removed
from fleet_platform.errors import AppError, DependencyDown, Exhausted, NotFound
from fleet_platform.telemetry import MetricRegistry
from fleet_platform.testing import MemoryArtifactStore

FULL = [errno.ENOSPC, errno.EDQUOT]
BROKEN = [errno.EROFS, errno.EACCES, errno.EIO, errno.ESTALE]
ERRORS: list[tuple[int, type[AppError], str]] = [
    *((number, Exhausted, "The artifact volume is full") for number in FULL),
    *((number, DependencyDown, "The artifact volume cannot be used") for number in BROKEN),
]


@pytest.fixture
def store(tmp_path: Path) -> FileArtifactStore:
    return FileArtifactStore(tmp_path)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def path_of(folder: Path, digest: str) -> Path:
    return folder / "sha256" / digest[:2] / digest


def failing(number: int) -> Callable[..., object]:
    def fail(*_args: object, **_options: object) -> object:
        raise OSError(number, os.strerror(number))

    return fail


def test_layout(store: FileArtifactStore, tmp_path: Path) -> None:
    digest = store.put(b"weights")
    store.ping()
    assert files(tmp_path) == [f"sha256/{digest[:2]}/{digest}"]


def test_another_store_on_the_same_volume_finds_it(
    store: FileArtifactStore, tmp_path: Path
) -> None:
    assert FileArtifactStore(tmp_path).get(store.put(b"weights")) == b"weights"


@pytest.mark.parametrize("damage", [b"", b"weigh", b"Weights", b"weights and more"])
def test_a_damaged_artifact_is_not_found_and_is_repaired_by_a_put(
    store: FileArtifactStore, tmp_path: Path, damage: bytes
) -> None:
    digest = store.put(b"weights")
    path = path_of(tmp_path, digest)
    path.write_bytes(damage)

    assert not store.exists(digest)
    with capture_logs() as lines, pytest.raises(NotFound):
        store.get(digest)
    assert [(line["event"], line["digest"]) for line in lines] == [("artifact.damaged", digest)]

    assert store.put(b"weights") == digest
    assert store.get(digest) == b"weights"


def test_the_same_content_again_is_not_written(store: FileArtifactStore, tmp_path: Path) -> None:
    digest = store.put(b"weights")
    path = path_of(tmp_path, digest)
    before = path.stat()
    store.put(b"weights")
    assert path.stat().st_ino == before.st_ino


def test_a_file_of_another_account_is_replaced_when_it_is_stored_again(
    store: FileArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = store.put(b"weights")
    os.utime(path_of(tmp_path, digest), (0, 0))
    with monkeypatch.context() as patch:
        patch.setattr(os, "utime", failing(errno.EPERM))
        assert store.put(b"weights") == digest
    assert store.remove_unused(set(), 60) == Removed(0, 0)
    assert store.get(digest) == b"weights"


def test_other_files_on_the_volume_are_not_removed(
    store: FileArtifactStore, tmp_path: Path
) -> None:
    digest = store.put(b"weights")
    others = ["README", "sha256/README", f"sha256/{digest[:2]}/.nfs0001"]
    for name in others:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    os.utime(path_of(tmp_path, digest), (0, 0))
    assert store.remove_unused(set(), 1) == Removed(1, 7)
    assert files(tmp_path) == sorted(others)


def test_an_artifact_that_is_stored_again_during_its_removal_stays(
    store: FileArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = store.put(b"weights")
    path = path_of(tmp_path, digest)
    os.utime(path, (0, 0))
    replace = Path.replace

    def replace_after_a_put(source: Path, target: Path) -> Path:
        if source == path:
            store.put(b"weights")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", replace_after_a_put)
    assert store.remove_unused(set(), 1) == Removed(0, 0)
    assert store.get(digest) == b"weights"


def test_concurrent_removals_count_each_artifact_once(
    store: FileArtifactStore, tmp_path: Path
) -> None:
    for number in range(200):
        digest = store.put(bytes([number]))
        os.utime(path_of(tmp_path, digest), (0, 0))
    others = [FileArtifactStore(tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        removed = list(pool.map(lambda other: other.remove_unused(set(), 1), others))
    assert sum(each.count for each in removed) == 200
    assert files(tmp_path) == []


def test_file_and_folders_are_synced_before_put_returns(
    store: FileArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    digest = store.put(b"weights")
    folder = tmp_path / "sha256" / digest[:2]
    assert synced[-1] == folder
    assert synced[-2].parent == tmp_path / "incoming"
    assert {tmp_path, tmp_path / "sha256"} <= set(synced[:-2])


@pytest.mark.parametrize(("number", "kind", "text"), ERRORS)
def test_a_volume_that_is_full_or_broken_while_writing(
    store: FileArtifactStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[AppError],
    text: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing(number))
        with pytest.raises(kind, match=text):
            store.put(b"weights")
    assert files(tmp_path) == []
    assert store.get(store.put(b"weights")) == b"weights"


@pytest.mark.parametrize(("number", "kind", "text"), ERRORS)
def test_ping_reports_a_volume_that_is_full_or_broken(
    store: FileArtifactStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[AppError],
    text: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", failing(number))
        with pytest.raises(kind, match=text):
            store.ping()
    store.ping()
    assert files(tmp_path) == []


def test_a_volume_that_cannot_be_read(
    store: FileArtifactStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = store.put(b"weights")
    monkeypatch.setattr(Path, "read_bytes", failing(errno.EIO))
    with pytest.raises(DependencyDown, match="The artifact volume cannot be used"):
        store.get(digest)


@pytest.mark.parametrize("clock_is_off_s", [0.0, 7200.0, -7200.0])
def test_leftovers_of_a_crash_are_removed_an_hour_later_whatever_the_clock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock_is_off_s: float
) -> None:
    incoming = tmp_path / "incoming"
    incoming.mkdir()
    now = time.time()
    for name, age_s in (("old.tmp", 3700), ("young.tmp", 3500)):
        (incoming / name).write_bytes(b"torn")
        os.utime(incoming / name, (now - age_s, now - age_s))
    monkeypatch.setattr(time, "time", lambda: now + clock_is_off_s)
    digest = FileArtifactStore(tmp_path).put(b"weights")
    assert files(tmp_path) == ["incoming/young.tmp", f"sha256/{digest[:2]}/{digest}"]


def test_puts_and_gets_are_spans_with_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(
        "fleet_platform.artifacts.instrumented._tracer", provider.get_tracer("test")
    )
    store = InstrumentedArtifactStore(MemoryArtifactStore(), MetricRegistry())

    digest = store.put(memoryview(b"weights"))
    store.get(digest)

    expected = {"fleet.size_bytes": 7, "fleet.artifact_digest": digest}
    assert [(span.name, dict(span.attributes or {})) for span in exporter.get_finished_spans()] == [
        ("artifacts.put", expected),
        ("artifacts.get", expected),
    ]
