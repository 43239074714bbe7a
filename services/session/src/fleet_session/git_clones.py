"""Working trees of plugins from git repositories; each tag is fetched once."""

import hashlib
import shutil
import subprocess
import uuid
from pathlib import Path

from fleet_platform.errors import InvalidInput
from fleet_platform.shown_text import shown
from fleet_platform.telemetry import logger

_MAX_WAIT_S = 120.0
_log = logger("fleet.session")


class GitClones:
    """A folder with one working tree per plugin and tag."""

    def __init__(self, folder: Path, protocols: str = "http:https:ssh") -> None:
        """Create a cache; working trees that are already in the folder are reused.

        Args:
            folder: the folder for the working trees, created when needed.
            protocols: colon-separated protocols that git may use.
        """
        self._folder = folder
        self._protocols = protocols

    def tree(self, name: str, repo: str, tag: str, wait_s: float | None = None) -> Path:
        """Return the working tree of a tag, fetching it if necessary.

        Args:
            name: the plugin's name.
            repo: the repository's URL.
            tag: the tag's name; branches and commits are not accepted.
            wait_s: time limit; the default and upper limit is two minutes.

        Raises:
            InvalidInput: the tag cannot be fetched.
        """
        place = hashlib.sha256(f"{repo}\0{tag}".encode()).hexdigest()[:32]
        tree = self._folder / f"{name}@{place}"
        if tree.is_dir():
            return tree
        unfinished = self._folder / f".{uuid.uuid4().hex}"
        unfinished.mkdir(parents=True)
        try:
            self._fetch(unfinished, repo, tag, min(wait_s or _MAX_WAIT_S, _MAX_WAIT_S))
            unfinished.replace(tree)
        except (OSError, subprocess.SubprocessError) as error:
            if tree.is_dir():  # another call was faster
                return tree
            text = getattr(error, "stderr", None) or str(error)
            _log.warning("plugin.not_fetched", repo=repo, tag=tag, error=shown(str(text), 500))
            raise InvalidInput(
                f"The tag '{shown(tag)}' cannot be fetched from '{shown(repo)}'. Check that both "
                "exist and that the server can reach them without being asked for a password."
            ) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        return tree

    def clear(self, name: str) -> int:
        """Delete the working trees of one plugin or of all; registered plugins are unaffected.

        Args:
            name: the plugin's name; empty means all.

        Returns:
            The number of deleted working trees.
        """
        trees = [
            tree
            for tree in (self._folder.iterdir() if self._folder.is_dir() else ())
            if name in ("", tree.name.partition("@")[0]) and not tree.name.startswith(".")
        ]
        for tree in trees:
            shutil.rmtree(tree, ignore_errors=True)
        return len(trees)

    def _fetch(self, into: Path, repo: str, tag: str, wait_s: float) -> None:
        ref = f"refs/tags/{tag}"
        for arguments in (
            ("init", "--quiet"),
            ("fetch", "--quiet", "--depth=1", "--no-recurse-submodules", "--", repo, ref),
            ("checkout", "--quiet", "FETCH_HEAD"),
        ):
            subprocess.run(
                [
                    "env",
                    "GIT_TERMINAL_PROMPT=0",
                    "GIT_SSH_COMMAND=ssh -oBatchMode=yes",
                    f"GIT_ALLOW_PROTOCOL={self._protocols}",
                    "GIT_CONFIG_NOSYSTEM=1",
                    "GIT_CONFIG_GLOBAL=/dev/null",
                    "git",
                    "-c",
                    "core.hooksPath=/dev/null",
                    *arguments,
                ],
                cwd=into,
                check=True,
                capture_output=True,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=wait_s,
            )
