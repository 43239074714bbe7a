"""The notebooks, executed as their folder's script does, and what is stored of them."""

import re

import nbformat
import pytest

from tests.e2e.examples.conftest import EXAMPLES

pytestmark = pytest.mark.e2e

NOTEBOOKS = sorted((EXAMPLES / "notebooks").glob("*.ipynb"))
LARGEST_BYTES = 1_000_000


def shown(path):
    """Per cell, the kinds of what it shows; how many steps a training tells depends on its pace."""
    notebook = nbformat.read(path, as_version=4)
    return [
        {kind for each in cell.get("outputs", []) for kind in each.get("data", {"text": ""})}
        for cell in notebook.cells
    ]


def test_the_notebooks_run_and_show_what_is_stored(example, example_stack, example_dir):
    into = example_dir / "executed"
    into.mkdir()

    example("notebooks/execute.py", example_stack.address, "--into", into)

    assert [path.name for path in sorted(into.iterdir())] == [path.name for path in NOTEBOOKS]
    for path in NOTEBOOKS:
        assert shown(into / path.name) == shown(path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_notebooks_are_small_and_of_no_machine(path):
    text = path.read_text(encoding="utf-8")

    assert len(text) < LARGEST_BYTES
    assert text.count('"image/png"') >= 5
    assert re.findall(r"/(?:home|tmp|root|work|Users|var)/[^\s\"]*", text) == []
