"""The recipes for nodes, readers and settings, executed literally in a copy of the project."""

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
    """A contributor's checkout: the files of the project and a ready environment."""
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
    """Environment variables that import the copy's code instead of the installed code."""
    packages = [str(each) for each in sorted(checkout.glob("**/src"))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*packages, str(checkout)])}


def _follow(block, checkout, environment):
    if block.language == "diff":
        command, text = ["git", "apply", "--recount", "-"], block.code
    elif block.title:
        (checkout / block.title).write_text(block.code, encoding="utf-8")
        return ""
    else:
        assert block.language == "bash", f"{block}: unknown kind of block"
        command, text = ["bash", "-euxo", "pipefail"], block.code
    ran = subprocess.run(
        command, input=text, cwd=checkout, env=environment, capture_output=True, text=True,
        timeout=600, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, f"{block}:\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


@pytest.mark.parametrize("recipe", ["A node", "A reader", "A setting"])
def test_a_recipe_produces_working_code_and_a_test(recipe, checkout, environment):
    followed = [block for block in blocks(PAGE) if block.section == recipe]
    outputs = [_follow(block, checkout, environment) for block in followed]
    assert "passed" in outputs[-1]
    assert any(Path(block.title).name.startswith("test_") for block in followed)
