"""The contract of an artifact store."""

from typing import Protocol

from typing_extensions import Buffer


class ArtifactStore(Protocol):
    """Immutable blobs, named by the sha256 of their content (64 lower-case hex digits)."""

    def put(self, content: Buffer) -> str:
        """Store `content` atomically and return its digest; storing the same content again is free.

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

    def ping(self) -> None:
        """Return when the volume can be written and read; raise `DependencyDown` or `Exhausted`."""
