"""Artifacts as files on a volume that all services mount."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Collection
from pathlib import Path

from typing_extensions import Buffer, override

from fleet_platform.artifacts.artifact_store import ArtifactStore, Removed
from fleet_platform.artifacts.content_digest import artifact_not_found, content_digest, is_digest
from fleet_platform.errors import DependencyDown
from fleet_platform.files import volume_answers, write_atomically
from fleet_platform.telemetry import logger

_VOLUME = "artifact"
_STALE_S = 3600.0
_log = logger("fleet.artifacts")


class FileArtifactStore(ArtifactStore):
    """An `ArtifactStore` in a folder.

    The path of an artifact is ``sha256/<first two digits>/<digest>``. Unfinished files are in
    ``incoming``, so that leftovers of a crash can be found without iterating over all artifacts;
    a new store removes those older than an hour.

    Args:
        root: The folder; created by the first write.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._remove_stale()

    @override
    def put(self, content: Buffer) -> str:
        digest = content_digest(content)
        path = self._path(digest)
        if not (_renew(path) and _is_intact(path, digest)):
            write_atomically(path, content, volume=_VOLUME, staging=self._incoming)
        return digest

    @override
    def get(self, digest: str) -> bytes:
        if not is_digest(digest):
            raise artifact_not_found(digest)
        try:
            with volume_answers(_VOLUME):
                content = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise artifact_not_found(digest) from None
        if content_digest(content) != digest:
            _log.error("artifact.damaged", digest=digest, size_bytes=len(content))
            raise artifact_not_found(digest)
        return content

    @override
    def exists(self, digest: str) -> bool:
        return is_digest(digest) and _is_intact(self._path(digest), digest)

    @override
    def delete(self, digest: str) -> None:
        if is_digest(digest):
            with volume_answers(_VOLUME):
                self._path(digest).unlink(missing_ok=True)

    @override
    def remove_unused(self, used: Collection[str], unstored_s: float) -> Removed:
        sizes = []
        with volume_answers(_VOLUME):
            self._incoming.mkdir(parents=True, exist_ok=True)
            oldest_s = self._volume_time_s() - unstored_s
            for path in (self._root / "sha256").glob("*/*"):
                if is_digest(path.name) and path.name not in used:
                    # Another store on the volume may have removed it already.
                    with contextlib.suppress(FileNotFoundError):
                        sizes += self._remove_older(path, oldest_s)
        return Removed(len(sizes), sum(sizes))

    @override
    def ping(self) -> None:
        expected = uuid.uuid4().bytes
        probe = self._incoming / f"{expected.hex()}.probe"
        with volume_answers(_VOLUME):
            self._incoming.mkdir(parents=True, exist_ok=True)
            try:
                probe.write_bytes(expected)
                found = probe.read_bytes()
            finally:
                probe.unlink(missing_ok=True)
        if found != expected:
            raise DependencyDown("The artifact volume does not return what was written to it.")

    def _path(self, digest: str) -> Path:
        return self._root / "sha256" / digest[:2] / digest

    def _volume_time_s(self) -> float:
        """Return the volume's current time, which may differ from this host's clock by hours."""
        probe = self._incoming / f"{uuid.uuid4().hex}.probe"
        probe.touch()
        try:
            return probe.stat().st_mtime
        finally:
            probe.unlink(missing_ok=True)

    def _remove_older(self, path: Path, oldest_s: float) -> list[int]:
        """Remove the file if it is older than `oldest_s`; return its size if it was removed."""
        if path.stat().st_mtime >= oldest_s:
            return []
        removed_path = self._incoming / f"{uuid.uuid4().hex}.unused"
        path.replace(removed_path)
        found = removed_path.stat()
        if found.st_mtime >= oldest_s:
            # Another caller has stored it again in the meantime.
            removed_path.replace(path)
            return []
        removed_path.unlink()
        return [found.st_size]

    def _remove_stale(self) -> None:
        """Remove leftovers if possible; the health probe reports an unavailable volume."""
        with contextlib.suppress(OSError):
            oldest = self._volume_time_s() - _STALE_S
            for path in self._incoming.iterdir():
                with contextlib.suppress(OSError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()


def _renew(path: Path) -> bool:
    """Set the file's time to now; return whether that was possible.

    The time of another account's file cannot be set; the file can only be replaced.
    """
    with volume_answers(_VOLUME):
        try:
            os.utime(path)
        except (FileNotFoundError, PermissionError):
            return False
    return True


def _is_intact(path: Path, digest: str) -> bool:
    """Return whether the file exists and matches its digest."""
    try:
        with volume_answers(_VOLUME), path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except FileNotFoundError:
        return False
