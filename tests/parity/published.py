"""Runs the published packages for a comparison."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.published.environment import published_environment
from tests.support.sdk_stub import cu3s

ENVIRONMENT = "cuvis-ai-0.4.0-full"
DEADLINE_S = 800.0


def run_published(
    script: Path, jobs: Sequence[dict[str, Any]], folder: Path, environment: str = ENVIRONMENT
) -> None:
    """Run a script of this folder on `jobs` in one process with working directory `folder`.

    Raises:
        AssertionError: it failed; the text is its output.
    """
    listed = folder / f"{script.stem}.json"
    listed.write_text(json.dumps(jobs, default=str), encoding="utf-8")
    done = subprocess.run(
        [published_environment(environment), "-m", "launch_published", script, listed],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(cu3s.PYTHONPATH),
            "MPLBACKEND": "Agg",
            "OMP_NUM_THREADS": "2",
        },
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
