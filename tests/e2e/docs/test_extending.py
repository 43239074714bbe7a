"""The page on nodes, readers and settings, followed word by word in a copy of the project."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.docs.environment import put_environment
from tests.e2e.docs.fenced_block import blocks
from tests.support.stacks import REPOSITORY

PAGE = REPOSITORY / "docs" / "extending.md"
_COPIED = (
    *("bench", "client", "configs", "deploy", "docs", "envoy", "libs", "proto", "services"),
    *("tests", "tools"),
)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """What a contributor has: the project's files, and its environment ready to use."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in _COPIED:
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)
    for file in REPOSITORY.glob("*.*"):
        if file.is_file():
            shutil.copyfile(file, folder / file.name)
    put_environment(folder)
    return folder


@pytest.fixture(scope="module")
def environment(checkout):
    """Has the copy's code imported in place of the installed one."""
    packages = [str(each) for each in sorted(checkout.glob("**/src"))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*packages, str(checkout)])}


def _follow(block, checkout, environment):
    if block.language == "diff":
        command, text = ["git", "apply", "--recount", "-"], block.code
    elif block.title:
        (checkout / block.title).write_text(block.code, encoding="utf-8")
        return ""
    else:
        assert block.language == "bash", f"{block}: what is to be done with it?"
        command, text = ["bash", "-euxo", "pipefail"], block.code
    ran = subprocess.run(
        command, input=text, cwd=checkout, env=environment, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, f"{block}:\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.mark.parametrize("recipe", ["A node", "A reader", "A setting"])
def test_whoever_follows_a_recipe_has_something_that_works(recipe, checkout, environment):
    followed = [block for block in blocks(PAGE) if block.section == recipe]
    outputs = [_follow(block, checkout, environment) for block in followed]
    assert "passed" in outputs[-1]
    assert any(Path(block.title).name.startswith("test_") for block in followed)
