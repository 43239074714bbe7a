"""The contract of an artifact store."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass

from typing_extensions import Buffer


@dataclass(frozen=True)
class Removed:
    """Number and total size of the artifacts that were removed."""

    count: int
    size_bytes: int


class ArtifactStore(ABC):
    """Immutable blobs, named by the sha256 of their content (64 lower-case hex digits)."""

    @abstractmethod
    def put(self, content: Buffer) -> str:
        """Store `content` atomically and return its digest.

        Content that is already stored is not written again, but its age starts again from zero.

        Raises:
            Exhausted: no space is left on the volume.
            DependencyDown: the volume cannot be written.
        """

    @abstractmethod
    def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            NotFound: no such artifact, or its content no longer matches its digest.
            DependencyDown: the volume cannot be read.
        """

    @abstractmethod
    def exists(self, digest: str) -> bool:
        """Return whether `get` would find the artifact."""

    @abstractmethod
    def delete(self, digest: str) -> None:
        """Delete the artifact, if it exists.

        Use it only for content that no other caller can have stored, such as a checkpoint that
        contains the id of its run: another caller that stores the same content at the same time
        would lose it.

        Raises:
            DependencyDown: the volume cannot be written.
        """

    @abstractmethod
    def remove_unused(self, used: Collection[str], unstored_s: float) -> Removed:
        """Delete artifacts that are not in `used` and were last stored over `unstored_s` ago.

        Storing existing content again counts as storing it. If several callers remove the same
        artifact at once, only one of them counts it.

        Args:
            used: Digests of artifacts to keep, whatever their age.
            unstored_s: Age in seconds; must exceed the time between a `put` and the moment when
                `used` contains its digest.

        Raises:
            DependencyDown: the volume cannot be read or written.
        """

    @abstractmethod
    def ping(self) -> None:
        """Return if the volume can be written and read; raise `DependencyDown` or `Exhausted`."""
