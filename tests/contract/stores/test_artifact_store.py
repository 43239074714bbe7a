"""The contract of every artifact store."""

import hashlib
import os
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from fleet_platform.artifacts import (
    ArtifactStore,
    FileArtifactStore,
    InstrumentedArtifactStore,
    Removed,
    open_artifact_store,
)
from fleet_platform.errors import NotFound
from fleet_platform.settings import ServiceSettings
from fleet_platform.testing import MemoryArtifactStore
from tests.contract.stores.conftest import FakeClock


class Ageing(Protocol):
    """A store whose artifacts can be made older."""

    store: ArtifactStore

    def age(self, seconds: float) -> None:
        """Make all artifacts older by that time."""


@dataclass
class MemoryAgeing:
    store: ArtifactStore
    clock: FakeClock

    def age(self, seconds: float) -> None:
        self.clock.advance(seconds)


@dataclass
class FileAgeing:
    store: ArtifactStore
    folder: Path

    def age(self, seconds: float) -> None:
        for path in self.folder.rglob("*"):
            stored_s = path.stat().st_mtime - seconds
            os.utime(path, (stored_s, stored_s))


@pytest.fixture(params=["memory", "filesystem", "traced"])
def ageing(request: pytest.FixtureRequest, clock: FakeClock, tmp_path: Path) -> Ageing:
    if request.param == "memory":
        return MemoryAgeing(MemoryArtifactStore(clock), clock)
    folder = tmp_path / "not" / "there" / "yet"
    if request.param == "filesystem":
        return FileAgeing(FileArtifactStore(folder), folder)
    folder.mkdir(parents=True)
    opened = open_artifact_store(ServiceSettings(artifact_dir=folder))
    assert isinstance(opened, InstrumentedArtifactStore)
    return FileAgeing(opened, folder)


@pytest.fixture
def store(ageing: Ageing) -> ArtifactStore:
    return ageing.store


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_content_is_returned_by_its_sha256(store: ArtifactStore, size: int) -> None:
    content = random.Random(1).randbytes(size)
    digest = store.put(content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert store.get(digest) == content
    assert store.exists(digest)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_is_content(store: ArtifactStore, kind: type) -> None:
    content = kind(b"weights")
    assert store.get(store.put(content)) == b"weights"


def test_content_is_kept_as_it_was(store: ArtifactStore) -> None:
    content = bytearray(b"weights")
    digest = store.put(content)
    content[0] = 0
    assert store.get(digest) == b"weights"


def test_the_same_content_again(store: ArtifactStore) -> None:
    assert store.put(b"weights") == store.put(b"weights")


@pytest.mark.parametrize(
    "digest",
    [
        "0" * 64,
        "",
        "A" * 64,
        "0" * 63,
        "0" * 64 + "\n",
        "../../etc/passwd",
        "/etc/passwd",
        "\0" * 64,
        "\N{ARABIC-INDIC DIGIT ONE}" * 64,
    ],
)
def test_unknown_digests_are_not_found(store: ArtifactStore, digest: str) -> None:
    assert not store.exists(digest)
    with pytest.raises(NotFound, match=r"^Artifact .* not found"):
        store.get(digest)


def test_concurrent_puts_of_the_same_and_of_different_content(store: ArtifactStore) -> None:
    contents = [random.Random(number % 4).randbytes(200_000) for number in range(32)]
    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(store.put, contents))
    assert len(set(digests)) == 4
    assert [store.get(digest) for digest in digests] == contents


def test_a_deleted_artifact_can_be_stored_again(store: ArtifactStore) -> None:
    digest, other = store.put(b"checkpoint"), store.put(b"weights")

    store.delete(digest)
    store.delete(digest)

    assert not store.exists(digest)
    with pytest.raises(NotFound):
        store.get(digest)
    assert store.get(other) == b"weights"
    assert store.put(b"checkpoint") == digest
    assert store.get(digest) == b"checkpoint"


@pytest.mark.parametrize("digest", ["", "0" * 64, "../../etc/passwd", "\0" * 64])
def test_deleting_an_unknown_digest_does_nothing(store: ArtifactStore, digest: str) -> None:
    kept = store.put(b"weights")
    store.delete(digest)
    assert store.get(kept) == b"weights"


def test_old_unused_artifacts_are_removed(ageing: Ageing) -> None:
    store = ageing.store
    used, unused, larger = store.put(b"used"), store.put(b"unused"), store.put(b"unused as well")
    ageing.age(100)
    new = store.put(b"new")

    assert store.remove_unused({used, "", "0" * 64}, 99) == Removed(2, len(b"unusedunused as well"))

    assert [store.exists(digest) for digest in (used, unused, larger, new)] == [
        *(True, False, False, True)
    ]
    assert store.remove_unused({used}, 99) == Removed(0, 0)
    assert store.get(store.put(b"unused")) == b"unused"


def test_an_artifact_that_was_stored_again_is_not_old(ageing: Ageing) -> None:
    digest = ageing.store.put(b"weights")
    ageing.age(100)
    assert ageing.store.put(b"weights") == digest
    assert ageing.store.remove_unused(set(), 99) == Removed(0, 0)
    ageing.age(100)
    assert ageing.store.remove_unused(set(), 99) == Removed(1, 7)


def test_an_empty_store_has_nothing_to_remove(store: ArtifactStore) -> None:
    assert store.remove_unused(set(), 1) == Removed(0, 0)


def test_ping(store: ArtifactStore) -> None:
    store.ping()
