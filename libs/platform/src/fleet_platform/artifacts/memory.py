"""Artifacts of one process, for tests and single-process use."""

from typing_extensions import Buffer

from fleet_platform.artifacts.content_digest import artifact_not_found, content_digest


class MemoryArtifactStore:
    """An `ArtifactStore` in a dictionary."""

    def __init__(self) -> None:
        self._contents: dict[str, bytes] = {}

    def put(self, content: Buffer) -> str:
        """See `ArtifactStore.put`."""
        kept = bytes(memoryview(content))
        digest = content_digest(kept)
        self._contents[digest] = kept
        return digest

    def get(self, digest: str) -> bytes:
        """See `ArtifactStore.get`."""
        try:
            return self._contents[digest]
        except KeyError:
            raise artifact_not_found(digest) from None

    def exists(self, digest: str) -> bool:
        """See `ArtifactStore.exists`."""
        return digest in self._contents

    def delete(self, digest: str) -> None:
        """See `ArtifactStore.delete`."""
        self._contents.pop(digest, None)

    def ping(self) -> None:
        """See `ArtifactStore.ping`."""
