"""Fetches published wheels into a cache folder of the checkout."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".peers" / "wheels"
DEADLINE_S = 300.0


class WheelUnavailableError(RuntimeError):
    """A published wheel could not be fetched; the text says which and why."""


def wheel(distribution: str, version: str, deadline_s: float = DEADLINE_S) -> Path:
    """Returns a published wheel, fetched on first use.

    Safe to call from several processes at once: a wheel appears in the cache complete or not at
    all.

    Args:
        distribution: name on the package index, for example ``cuvis-ai-schemas``.
        version: exact version.
        deadline_s: longest time a download may take, in seconds.

    Returns:
        Path of the wheel below ``.peers/wheels``.

    Raises:
        WheelUnavailableError: no such pure wheel, no network, or the deadline has passed.
    """
    pattern = f"{distribution.replace('-', '_').lower()}-{version}-*.whl"
    cached = sorted(CACHE.glob(pattern))
    if cached:
        return cached[0]
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        _download(f"{distribution}=={version}", Path(folder), deadline_s)
        fetched = sorted(Path(folder).glob(pattern))
        if len(fetched) != 1:
            raise WheelUnavailableError(
                f"{distribution}=={version}: {len(fetched)} wheels match {pattern}"
            )
        target = CACHE / fetched[0].name
        fetched[0].replace(target)
    return target


def _pip() -> Sequence[str]:
    """Returns the command line of pip: this environment's, or the first on the path."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip")
    if found is None:
        raise WheelUnavailableError("pip is neither in this environment nor on the path")
    return [found]


def _download(requirement: str, folder: Path, deadline_s: float) -> None:
    """Downloads one wheel without its dependencies."""
    command = [
        *_pip(),
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--python-version=3.11",
        f"--dest={folder}",
        requirement,
    ]
    started = time.monotonic()
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=deadline_s,
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
    except subprocess.TimeoutExpired as error:
        waited_s = time.monotonic() - started
        raise WheelUnavailableError(f"{requirement}: no answer in {waited_s:.0f} s") from error
    if done.returncode:
        raise WheelUnavailableError(f"{requirement}: {done.stderr.strip()}")
