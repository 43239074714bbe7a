"""The limits for Graphviz, with scripts in its place."""

import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet_inference.graphviz import Graphviz
from fleet_platform.errors import Cancelled, Exhausted
from tests.support.network.waiting_call import WaitingCall
from tests.support.polling import wait_until

Program = Callable[[str], None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """``program(script)``: the shell script runs in place of Graphviz."""

    def install(script: str) -> None:
        file = tmp_path / "dot"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        monkeypatch.setattr(shutil, "which", lambda _name: str(file))

    return install


@pytest.mark.parametrize(
    ("image_format", "arguments"),
    [("png", "-Tpng -Gsize=80,80 -Gdpi=110"), ("svg", "-Tsvg -Gsize=80,80")],
)
def test_the_image_is_bounded_in_size(program: Program, image_format: str, arguments: str) -> None:
    program('printf "%s|" "$*"; cat')
    assert (
        Graphviz().render("digraph {}", image_format, WaitingCall())
        == f"{arguments}|digraph {{}}".encode()
    )


def test_without_graphviz_there_is_no_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert Graphviz().render("digraph {}", "png", WaitingCall()) is None


def test_a_graphviz_that_fails_makes_no_image(program: Program) -> None:
    program("printf 'no such \\377 plugin' >&2; exit 1")
    assert Graphviz().render("digraph {}", "png", WaitingCall()) is None


@pytest.mark.parametrize(("max_run_s", "wait_s"), [(0.1, None), (60.0, 0.1)])
def test_a_drawing_that_takes_too_long_is_ended(
    program: Program, tmp_path: Path, max_run_s: float, wait_s: float | None
) -> None:
    program(f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with pytest.raises(Exhausted, match="Request the format dot or mermaid"):
        Graphviz(max_run_s=max_run_s).render("digraph {}", "png", WaitingCall(wait_s))
    pid = (tmp_path / "pid").read_text().strip()
    assert not Path(f"/proc/{pid}").exists()


def test_a_few_are_drawn_at_a_time(program: Program, tmp_path: Path) -> None:
    program(
        f"echo x >> {tmp_path}/begun; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; echo ok"
    )
    graphviz = Graphviz(max_processes=2, max_wait_s=0.1)
    images: list[bytes | None] = []
    threads = [
        threading.Thread(target=lambda: images.append(graphviz.render("", "svg", WaitingCall())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    begun = tmp_path / "begun"
    wait_until(lambda: begun.exists() and len(begun.read_text()) == 4, "both are being drawn")
    with pytest.raises(Exhausted, match=r"Other pipelines are being drawn; .* in 2 s") as caught:
        graphviz.render("", "svg", WaitingCall())
    assert caught.value.retry_after_s == 2
    (tmp_path / "go").touch()
    for thread in threads:
        thread.join()
    assert images == [b"ok\n", b"ok\n"]
    assert graphviz.render("", "svg", WaitingCall()) == b"ok\n"


def test_nothing_is_drawn_for_a_caller_that_left_while_it_waited(
    program: Program, tmp_path: Path
) -> None:
    program(
        f"echo x >> {tmp_path}/begun; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done; echo ok"
    )
    graphviz, call = Graphviz(max_processes=1, max_wait_s=60), WaitingCall()
    begun, ended = tmp_path / "begun", []

    def wait() -> None:
        try:
            graphviz.render("", "svg", call)
        except Cancelled as error:
            ended.append(error)

    first = threading.Thread(target=graphviz.render, args=("", "svg", WaitingCall()))
    first.start()
    wait_until(begun.exists, "the first is being drawn")
    second = threading.Thread(target=wait)
    second.start()
    call.has_left = True
    (tmp_path / "go").touch()
    first.join()
    second.join()
    assert len(ended) == 1
    assert begun.read_text() == "x\n"
    assert graphviz.render("", "svg", WaitingCall()) == b"ok\n"
