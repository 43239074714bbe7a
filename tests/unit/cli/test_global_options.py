"""Global options, before or after a command."""

import pytest

from cuvis_fleet.cli.global_options import hoisted

TAKES_VALUE = {"--json": False, "--debug": False, "--address": True}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["doctor", "--json"], ["--json", "doctor"]),
        (["--json", "doctor"], ["--json", "doctor"]),
        (["infer", "f", "--address", "h:1", "--out", "x"], None),
        (["infer", "--address=h:1", "f"], ["--address=h:1", "infer", "f"]),
        (["train", "--", "--json"], ["train", "--", "--json"]),
        (["doctor", "--address"], ["--address", "doctor"]),
        ([], []),
    ],
)
def test_options_move_to_the_front_with_their_values(given, read):
    expected = read or ["--address", "h:1", "infer", "f", "--out", "x"]
    assert hoisted(given, TAKES_VALUE) == (expected if given else [])
