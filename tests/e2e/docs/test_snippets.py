"""Every command and every snippet of the documentation works.

The blocks of a page run in order, in one namespace (Python) and one folder (bash). A block that is
not run has the reason in a comment before it: ``<!-- not run: it needs a GPU -->``.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.e2e.docs.environment import put_environment
from tests.e2e.docs.fenced_block import blocks
from tests.e2e.docs.pages import pages
from tests.support.stacks import REPOSITORY

pytestmark = pytest.mark.e2e

RUN = {"python", "py", "bash", "sh", "shell", "console"}
_OF_A_HOST = {"docker", "docker-compose", "helm", "kubectl", "make", "sudo", "systemctl"}
_ADDRESS = "localhost:50051"
PAGES = [page for page in pages() if any(each.language in RUN for each in blocks(page))]


@pytest.fixture(scope="module")
def address(stack, data_dir, output_dir):
    """A stack on which the demo has been run."""
    demo = [sys.executable, "-m", "cuvis_fleet.demo", "--address", stack.address]
    folders = ["--data-dir", str(data_dir), "--output-dir", str(output_dir)]
    ran = subprocess.run(
        [*demo, *folders], check=False, timeout=600, capture_output=True, text=True
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    return stack.address


def _bash(block, code, folder, address):
    needed = sorted(_OF_A_HOST & set(code.split()))
    assert not needed, (
        f"{block}: {needed} must not run here; add a comment with the reason above it"
    )
    ran = subprocess.run(
        ["bash", "-euo", "pipefail"], input=code, cwd=folder, capture_output=True, text=True,
        timeout=600, check=False, env=_environment(folder, address),
    )  # fmt: skip
    assert ran.returncode == 0, f"{block}:\n{ran.stdout}\n{ran.stderr}"


def _environment(folder, address):
    """The environment of a reader with an active virtual environment and a remote server."""
    programs = Path(sys.executable).parent
    return {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "CUVIS_FLEET_ADDRESS": address,
        "XDG_STATE_HOME": str(folder / "state"),
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_the_blocks_of_a_page_run(page, address, scene, data_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    put_environment(tmp_path)
    (tmp_path / "data").symlink_to(data_dir)
    namespace = {"cube": scene.cubes[0], "wavelengths_nm": scene.wavelengths_nm, "np": np}
    for block in blocks(page):
        if block.reason or block.language not in RUN:
            continue
        code = block.code.replace(_ADDRESS, address)
        if block.language in {"python", "py"}:
            exec(compile(code, str(block), "exec"), namespace)
        else:
            _bash(block, code, tmp_path, address)
    for value in namespace.values():
        if hasattr(value, "session") and hasattr(value, "close"):
            value.close()


def test_a_block_that_is_not_run_has_a_reason():
    reasons = [block.reason for page in pages() for block in blocks(page) if block.reason]
    assert all(len(reason.split()) >= 3 for reason in reasons)


def test_most_snippets_of_python_are_run():
    found = Counter(
        bool(block.reason)
        for page in pages()
        for block in blocks(page)
        if block.language in {"python", "py"}
    )
    assert found[False] > 4 * found[True]
