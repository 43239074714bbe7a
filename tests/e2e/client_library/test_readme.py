"""The README's example runs as printed."""

import re
from pathlib import Path

import pytest

import cuvis_fleet

pytestmark = pytest.mark.e2e

README = Path(__file__).parents[3] / "client" / "README.md"


def test_the_example_trains_and_infers_in_fifteen_lines(stack, monkeypatch, capsys):
    (program,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(program.splitlines()) <= 15
    connect = cuvis_fleet.connect
    monkeypatch.setattr(cuvis_fleet, "connect", lambda _: connect(stack.address))
    exec(compile(program, README, "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "Statistical training complete"
    assert lines[-1].startswith("(1, 32, 32, 1) ")
