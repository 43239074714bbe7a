"""An in-memory artifact store for tests."""

import time
from collections.abc import Callable, Collection

from typing_extensions import Buffer, override

from fleet_platform.artifacts.artifact_store import ArtifactStore, Removed
from fleet_platform.artifacts.content_digest import artifact_not_found, content_digest


class MemoryArtifactStore(ArtifactStore):
    """An `ArtifactStore` in a dictionary."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._contents: dict[str, bytes] = {}
        self._stored_s: dict[str, float] = {}

    @override
    def put(self, content: Buffer) -> str:
        kept = bytes(memoryview(content))
        digest = content_digest(kept)
        self._stored_s[digest] = self._clock()
        self._contents[digest] = kept
        return digest

    @override
    def get(self, digest: str) -> bytes:
        try:
            return self._contents[digest]
        except KeyError:
            raise artifact_not_found(digest) from None

    @override
    def exists(self, digest: str) -> bool:
        return digest in self._contents

    @override
    def delete(self, digest: str) -> None:
        self._contents.pop(digest, None)
        self._stored_s.pop(digest, None)

    @override
    def remove_unused(self, used: Collection[str], unstored_s: float) -> Removed:
        oldest_s = self._clock() - unstored_s
        sizes = []
        for digest, content in tuple(self._contents.items()):
            if digest not in used and self._stored_s[digest] < oldest_s:
                self.delete(digest)
                sizes.append(len(content))
        return Removed(len(sizes), sum(sizes))

    @override
    def ping(self) -> None:
        """Do nothing: an in-memory store is always available."""
