"""The policy for paths from clients: which of them may be read or written."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet_platform.errors import InvalidInput, NotFound
from fleet_platform.settings import ServiceSettings
from fleet_platform.shown_text import shown

_MAX_PATH_BYTES = 4096
_MAX_NAME_BYTES = 255
_SHOWN_CHARACTERS = 200


@dataclass(frozen=True)
class PathPolicy:
    """Reads stay inside the read roots, writes inside the output folder.

    A path is first normalised as text (``a/../b`` is ``b``), so that no folder outside is ever
    accessed, then its symbolic links are resolved, and only then is it compared with the roots.
    Paths outside the roots cause the same error whether they exist or not. Roots need not exist.

    Attributes:
        working_dir: Base for relative paths, in addition to the other folders.
        configs_dir: The configuration tree that ships with the product.
        data_dir: Folder of measurements.
        output_dir: The only folder that may be written to.
        more_roots: Additional folders that may be read.
    """

    working_dir: Path
    configs_dir: Path
    data_dir: Path
    output_dir: Path
    more_roots: tuple[Path, ...] = ()

    @classmethod
    def from_settings(cls, settings: ServiceSettings) -> "PathPolicy":
        """Return a service's policy; its relative folders start from the working directory."""
        here = Path.cwd()
        return cls(
            working_dir=here,
            configs_dir=here / settings.cuvis_configs_dir,
            data_dir=here / settings.data_dir,
            output_dir=here / settings.output_dir,
            more_roots=tuple(here / root for root in settings.read_roots),
        )

    @property
    def read_roots(self) -> tuple[Path, ...]:
        """All folders that may be read."""
        return (self.configs_dir, self.data_dir, self.output_dir, *self.more_roots)

    def search_path(self, text: str) -> Path | None:
        """Return the folder that a client wants to use as a search path.

        Args:
            text: Absolute, or relative to the working directory.

        Returns:
            Its absolute path, or None if it is not a folder or is outside the read roots.
        """
        try:
            path = _resolved(self.working_dir, text)
        except InvalidInput:
            return None
        return path if _inside(path, self.read_roots) and _is_folder(path) else None

    def code_folder(self, text: str, search_paths: Iterable[str | Path] = ()) -> Path:
        """Return the existing folder of Python code that a client wants to run.

        It is never in the output folder, which clients can write to.

        Args:
            text: Absolute, or relative to the first of these folders that contains it: each search
                path, the working directory, the configuration tree.
            search_paths: Search paths of the session.

        Raises:
            NotFound: none of these folders contains it.
            InvalidInput: all candidates are outside the folders that code may come from.
        """
        if not text:
            raise InvalidInput("The path is empty; name a folder.")
        allowed = False
        for folder in (*map(Path, search_paths), self.working_dir, self.configs_dir):
            path = _resolved(folder, text)
            if _inside(path, self.read_roots) and not _inside(path, (self.output_dir,)):
                allowed = True
                if _is_folder(path):
                    return path
        if not allowed:
            raise InvalidInput(
                f"Path {_shown(text)} is outside the folders that code may come from."
            )
        raise NotFound(f"Folder {_shown(text)} not found.")

    def readable(
        self, text: str, search_paths: Iterable[str | Path] = (), suffixes: Sequence[str] = ("",)
    ) -> Path:
        """Return the existing file that a client refers to.

        Args:
            text: Absolute, or relative to the first of these folders that contains it: each search
                path, the output folder, the working directory, the data folder, the configuration
                tree. An absolute path below a ``configs`` folder that may not be read is looked up
                in the configuration tree, because clients on other machines have their own tree.
            search_paths: Search paths of the session, tried first.
            suffixes: Suffixes that `text` may lack, in the order in which they are tried.

        Raises:
            NotFound: none of these folders contains it.
            InvalidInput: all candidates are outside the folders that may be read.
        """
        folders = [*(Path(each) for each in search_paths), self.output_dir, self.working_dir]
        candidates = [(folder, text) for folder in folders]
        candidates += _with_and_without("data", self.data_dir, text)
        candidates += _with_and_without("configs", self.configs_dir, text)
        candidates += _below_another("configs", self.configs_dir, text)
        return self._first_file(
            text,
            candidates,
            suffixes,
            "the session's search paths, the output folder, the working directory, the data folder "
            "and the configuration tree",
        )

    def data_file(self, text: str) -> Path:
        """Return the existing data file that a client refers to.

        Args:
            text: Absolute, relative to the working directory, or relative to the data folder with
                or without a leading ``data/``.

        Raises:
            NotFound: none of these folders contains it.
            InvalidInput: all candidates are outside the folders that may be read.
        """
        candidates = [(self.working_dir, text), *_with_and_without("data", self.data_dir, text)]
        where = "the working directory and the data folder"
        return self._first_file(text, candidates, ("",), where)

    def writable(self, text: str) -> Path:
        """Return the path to write a client's file to; its parents may be missing.

        Args:
            text: Relative to the output folder, or absolute inside it.

        Raises:
            InvalidInput: outside the output folder, or not the name of a file.
        """
        path = self._below_output(text)
        if path == _resolved(self.output_dir, ".") or _is_folder(path):
            raise InvalidInput(f"Path {_shown(text)} names a folder; name a file.")
        _refuse_unwritable(text, path)
        return path

    def writable_folder(self, text: str) -> Path:
        """Return the path of a folder to write for a client; it and its parents may be missing.

        Args:
            text: Relative to the output folder, or absolute inside it.

        Raises:
            InvalidInput: outside the output folder, or one of its parents is a file.
        """
        folder = self._below_output(text)
        _refuse_unwritable(text, folder / "file")
        return folder

    def _below_output(self, text: str) -> Path:
        path = _resolved(self.output_dir, text)
        if not _inside(path, (self.output_dir,)):
            raise InvalidInput(
                f"Path {_shown(text)} is outside the folder that this server writes to; "
                "use a relative path, which is written below its output folder."
            )
        return path

    def _first_file(
        self,
        text: str,
        candidates: Iterable[tuple[Path, str]],
        suffixes: Sequence[str],
        where: str,
    ) -> Path:
        if not text:
            raise InvalidInput("The path is empty; name a file.")
        allowed = False
        for folder, name in candidates:
            for suffix in suffixes:
                path = _resolved(folder, name + suffix)
                if _inside(path, self.read_roots):
                    allowed = True
                    if _is_file(path):
                        return path
        if not allowed:
            raise InvalidInput(
                f"Path {_shown(text)} is outside the folders that this server may read."
            )
        missing = f"File {_shown(text)} not found"
        added = ", ".join(f"'{suffix}'" for suffix in suffixes if suffix)
        with_suffix = f" (also with {added} added)" if added else ""
        if Path(text).is_absolute():
            raise NotFound(f"{missing}{with_suffix}.")
        raise NotFound(f"{missing}{with_suffix}; looked in {where}.")


def _refuse_unwritable(text: str, path: Path) -> None:
    """Reject a file whose name is too long, or whose parent is a file."""
    if any(len(os.fsencode(part)) > _MAX_NAME_BYTES for part in path.parts):
        raise InvalidInput(f"Path {_shown(text)} has a name of more than {_MAX_NAME_BYTES} bytes.")
    if any(_is_file(parent) for parent in path.parents):
        raise InvalidInput(f"Path {_shown(text)} goes through a file as if it were a folder.")


def _with_and_without(prefix: str, folder: Path, text: str) -> Iterator[tuple[Path, str]]:
    yield folder, text
    rest = os.path.normpath(text).removeprefix(f"{prefix}/") if text else text
    if rest != text and not rest.startswith("/"):
        yield folder, rest


def _below_another(name: str, folder: Path, text: str) -> Iterator[tuple[Path, str]]:
    """Yield `folder` and the part of an absolute `text` after its last folder `name`."""
    _, found, rest = os.path.normpath(text).rpartition(f"/{name}/")
    if found and text.startswith("/"):
        yield folder, rest


def _resolved(folder: Path, text: str) -> Path:
    """Return `text` below `folder` (or absolute) without dots and links; it need not exist."""
    try:
        if "\0" in text or len(os.fsencode(text)) > _MAX_PATH_BYTES:
            raise ValueError  # noqa: TRY301 - the same answer as for text that cannot be encoded
        return Path(os.path.realpath(os.path.normpath(folder / text)))
    except ValueError as error:
        raise InvalidInput(f"Path {_shown(text)} cannot be the name of a file.") from error


def _inside(path: Path, roots: Iterable[Path]) -> bool:
    return any(path.is_relative_to(os.path.realpath(root)) for root in roots)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _shown(text: str) -> str:
    return f"'{shown(text, _SHOWN_CHARACTERS)}'"
