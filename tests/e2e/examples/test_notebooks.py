"""The notebooks run, and their stored outputs are current."""

import re

import nbformat
import pytest

from tests.e2e.examples.conftest import EXAMPLES

pytestmark = pytest.mark.e2e

NOTEBOOKS = sorted((EXAMPLES / "notebooks").glob("*.ipynb"))
MAX_BYTES = 1_000_000


def output_types(path):
    """Return the MIME types of each cell's outputs; the number of messages depends on timing."""
    notebook = nbformat.read(path, as_version=4)
    return [
        {kind for each in cell.get("outputs", []) for kind in each.get("data", {"text": ""})}
        for cell in notebook.cells
    ]


def test_the_notebooks_run_and_have_the_stored_outputs(example, example_stack, example_dir):
    into = example_dir / "executed"
    into.mkdir()

    example("notebooks/execute.py", example_stack.address, "--into", into)

    assert [path.name for path in sorted(into.iterdir())] == [path.name for path in NOTEBOOKS]
    for path in NOTEBOOKS:
        assert output_types(into / path.name) == output_types(path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_notebooks_are_small_and_name_no_machine(path):
    text = path.read_text(encoding="utf-8")

    assert len(text) < MAX_BYTES
    assert text.count('"image/png"') >= 5
    assert re.findall(r"/(?:home|tmp|root|work|Users|var)/[^\s\"]*", text) == []
