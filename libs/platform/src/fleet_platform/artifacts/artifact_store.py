"""The contract of an artifact store."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from typing_extensions import Buffer


@dataclass(frozen=True)
class Removed:
    """How much was removed."""

    count: int
    size_bytes: int


class ArtifactStore(Protocol):
    """Immutable blobs, named by the sha256 of their content (64 lower-case hex digits)."""

    def put(self, content: Buffer) -> str:
        """Store `content` atomically and return its digest.

        What is there already is not written again, and counts as stored now.

        Raises:
            Exhausted: no space is left on the volume.
            DependencyDown: the volume cannot be written.
        """

    def get(self, digest: str) -> bytes:
        """Return the content.

        Raises:
            NotFound: no artifact of this name, or its content does not match its name any more.
            DependencyDown: the volume cannot be read.
        """

    def exists(self, digest: str) -> bool:
        """Whether `get` would find it."""

    def delete(self, digest: str) -> None:
        """Forget the content; nothing happens where there is none.

        Only for content that nobody else can have stored, such as a checkpoint that names its run:
        the same content stored at the same moment by somebody else would be gone for them too.

        Raises:
            DependencyDown: the volume cannot be written.
        """

    def remove_unused(self, used: Collection[str], unstored_s: float) -> Removed:
        """Forget what is not among `used` and was not stored for `unstored_s`, not even again.

        What several callers remove at once is removed, and counted, once.

        Args:
            used: Names of artifacts that stay however old they are.
            unstored_s: Seconds, more than may pass between `put` and the moment from which its
                caller finds the name among `used`.

        Raises:
            DependencyDown: the volume cannot be read or written.
        """

    def ping(self) -> None:
        """Return when the volume can be written and read; raise `DependencyDown` or `Exhausted`."""
