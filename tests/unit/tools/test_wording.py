"""The check of the project's wording."""

from pathlib import Path

import pytest

from tools import wording


@pytest.mark.parametrize(
    "line",
    [
        "# what the caller was told",
        "error_told = 1",
        '"""Have the memory exported."""',
        '"""See `Store.method`."""',
        "the file is no YAML",
        "a process of its own",
        "class PreforkServer:  # prefork",
        "nobody waits any more",
        "where a run stands",
    ],
)
def test_reports_what_the_project_does_not_write(line: str) -> None:
    assert wording.findings(Path("a.py"), line)


@pytest.mark.parametrize(
    "line",
    [
        "there is no session with this id",
        "it is no longer there",
        "untold = retold",
        "the metadata x-fleet-training-begun",
        "a stand-in for the standard",
        "fleet_train_child_deaths_total",
        "# what the specification says about a door  # wording: ok",
        "intelligence, tellurium, mushroom, outdoors",
    ],
)
def test_accepts_plain_english(line: str) -> None:
    assert not wording.findings(Path("a.py"), line)


def test_names_file_line_and_remedy() -> None:
    (finding,) = wording.findings(Path("a.md"), "first\nseparate parts, parted by commas\n")
    assert str(finding) == "a.md:2: 'parted': write separated"


def test_checks_source_and_documents_but_not_generated_code() -> None:
    checked = {str(path) for path in wording.checked_files([])}
    assert {"README.md", "proto/cuvis_ai/v1/cuvis_ai.proto", "compose.yaml"} <= checked
    assert not any("_pb2" in path for path in checked)
