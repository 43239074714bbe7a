"""Finds the config file for a path or name that a client sent."""

import difflib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from fleet_platform.errors import InvalidInput, NotFound
from fleet_platform.files import PathPolicy

MAX_SCANNED = 20_000
_SUFFIX = ".yaml"


class ConfigLookup:
    """Resolves a path or a bare name to a file.

    Tried in order: the path itself, absolute or within a search path; the path within the folder of
    its type; the only file with that name anywhere within a search path. The server's own configs
    are always the last search path.
    """

    def __init__(self, paths: PathPolicy, configs_dir: Path) -> None:
        self._paths = paths
        self._configs_dir = configs_dir.resolve()

    def roots(self, search_paths: Sequence[str]) -> list[Path]:
        """Return the folders to search, in order and without duplicates."""
        given = [Path(path).resolve() for path in search_paths]
        return list(dict.fromkeys([*given, self._configs_dir]))

    def find(self, config_type: str, path: str, search_paths: Sequence[str]) -> Path:
        """Return the file.

        Args:
            config_type: the requested kind of config; decides between files with the same name.
            path: as the client sent it.
            search_paths: the session's.

        Raises:
            InvalidInput: the path is empty, contains "..", is outside the readable folders, or
                names several files.
            NotFound: no such file; the text lists the closest matches.
        """
        parts = PurePosixPath(path).parts
        if not parts:
            raise InvalidInput("path is empty. Name a config, as in 'trainrun/rx_statistical'.")
        if ".." in parts:
            raise InvalidInput(f"path '{path}' must not contain '..'.")
        suffix = "" if path.endswith(_SUFFIX) else _SUFFIX
        roots = self.roots(search_paths)
        is_absolute = path.startswith("/")
        for candidate in (path,) if is_absolute else (path, f"{config_type}/{path}"):
            try:
                return self._paths.readable(candidate, roots, (suffix,))
            except NotFound:
                continue
        found = [] if is_absolute else self._by_name(path + suffix, roots)
        return self._only(found, config_type, path, roots)

    def _by_name(self, wanted: str, roots: Sequence[Path]) -> list[Path]:
        folder, name = PurePosixPath(wanted).parent, PurePosixPath(wanted).name
        files = (file for root in roots for file in yaml_files(root / folder))
        return list(dict.fromkeys(file for file in files if file.name == name))

    def _only(self, found: list[Path], config_type: str, path: str, roots: list[Path]) -> Path:
        of_type = [file for file in found if _is_below(file, config_type, roots)]
        if len(of_type or found) == 1:
            return self._paths.readable(str((of_type or found)[0]))
        if found:
            names = ", ".join(sorted(f"'{_name(file, roots)}'" for file in of_type or found))
            raise InvalidInput(f"'{path}' names several configs: {names}. Give one of these paths.")
        known = sorted({_name(file, roots) for root in roots for file in yaml_files(root)})
        close = difflib.get_close_matches(path.removesuffix(_SUFFIX), known, n=3, cutoff=0.5)
        hint = f" Closest matches: {', '.join(close)}." if close else ""
        raise NotFound(
            f"{config_type} config '{path}' not found in the session's search paths or in "
            f"the server's configs.{hint}"
        )


def yaml_files(folder: Path) -> Iterator[Path]:
    """Yield the config files in a folder tree, scanning at most about 20000 entries."""
    scanned = 0
    for parent, folders, files in os.walk(folder):
        folders.sort()
        scanned += 1 + len(files)
        yield from (
            Path(parent, file).resolve() for file in sorted(files) if file.endswith(_SUFFIX)
        )
        if scanned > MAX_SCANNED:
            return


def _is_below(file: Path, folder: str, roots: Sequence[Path]) -> bool:
    return any(
        folder in (root.name, *file.relative_to(root).parts[:-1])
        for root in roots
        if file.is_relative_to(root)
    )


def _name(file: Path, roots: Sequence[Path]) -> str:
    """Return the longest path by which a client can request the file."""
    names = [
        file.relative_to(root).with_suffix("").as_posix()
        for root in roots
        if file.is_relative_to(root)
    ]
    return max(names, key=len, default=file.stem)
