"""Fetches published wheels and source archives into cache folders of the checkout."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

PEERS = Path(__file__).resolve().parents[3] / ".peers"
CACHE = PEERS / "wheels"
SOURCES = PEERS / "sources"
DEADLINE_S = 300.0
_AS_WHEEL = ("--only-binary=:all:", "--python-version=3.11")
_AS_SOURCE = ("--no-binary=:all:",)


class WheelUnavailableError(RuntimeError):
    """A published wheel or archive could not be fetched; the text says which and why."""


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
        _download(f"{distribution}=={version}", Path(folder), _AS_WHEEL, deadline_s)
        fetched = sorted(Path(folder).glob(pattern))
        if len(fetched) != 1:
            raise WheelUnavailableError(
                f"{distribution}=={version}: {len(fetched)} wheels match {pattern}"
            )
        target = CACHE / fetched[0].name
        fetched[0].replace(target)
    return target


def source(distribution: str, version: str, deadline_s: float = DEADLINE_S) -> Path:
    """Returns the unpacked source archive of a published release, fetched on first use.

    Args:
        distribution: name on the package index, for example ``cuvis-ai``.
        version: exact version.
        deadline_s: longest time a download may take, in seconds.

    Returns:
        The archive's one folder, below ``.peers/sources``.

    Raises:
        WheelUnavailableError: no such archive, no network, or the deadline has passed.
    """
    name = f"{distribution.replace('-', '_').lower()}-{version}"
    target = SOURCES / name
    if target.is_dir():
        return target
    SOURCES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=SOURCES) as folder:
        _download(f"{distribution}=={version}", Path(folder), _AS_SOURCE, deadline_s)
        (archive,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        try:
            (Path(folder) / name).rename(target)
        except OSError as error:
            if not target.is_dir():
                raise WheelUnavailableError(f"{archive.name} holds no folder {name}") from error
    return target


def _pip() -> Sequence[str]:
    """Returns the command line of pip: this environment's, or the first on the path."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip")
    if found is None:
        raise WheelUnavailableError("pip is neither in this environment nor on the path")
    return [found]


def _download(requirement: str, folder: Path, form: Sequence[str], deadline_s: float) -> None:
    """Downloads one distribution without its dependencies."""
    command = [
        *_pip(),
        "download",
        "--quiet",
        "--no-deps",
        *form,
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
