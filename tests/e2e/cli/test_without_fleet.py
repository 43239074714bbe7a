"""Every command where no server runs: one line and an exit code, no traceback."""

import pytest

from tests.e2e.cli.conftest import CommandLine

pytestmark = pytest.mark.e2e

NO_SERVER = "no server answers at 127.0.0.1:1; check that it is running"
ASKING = {
    "pipelines list": ("pipelines", "list"),
    "pipelines show": ("pipelines", "show", "rx_statistical"),
    "pipelines graph": ("pipelines", "graph", "rx_statistical"),
    "resolve": ("resolve", "trainrun/rx_statistical"),
    "train": ("train", "rx_statistical", "--watch"),
    "infer": ("infer", "scene.npz", "--pipeline", "rx_statistical"),
    "infer in a session": ("infer", "scene.npz", "--session", "abc"),
    "runs attach": ("runs", "attach", "abc"),
    "runs stop": ("runs", "stop", "abc"),
    "sessions close": ("sessions", "close", "abc"),
    "bench": ("bench", "--side", "4"),
    "demo": ("demo",),
}


@pytest.mark.parametrize("arguments", ASKING.values(), ids=ASKING)
def test_a_missing_server_is_told_in_one_line(
    lonely: CommandLine, scene_of_the_user: str, arguments: tuple[str, ...]
) -> None:
    shown = lonely.shown(*arguments, code=9, columns=40)
    assert "Traceback" not in shown
    assert shown.count(NO_SERVER) == 1, shown


def test_programs_are_told_the_same(lonely: CommandLine) -> None:
    (told,) = lonely.documents("pipelines", "list", code=9)
    assert told["error"]["trace_id"]
    del told["error"]["trace_id"]
    assert told["error"] == {
        "kind": "Unavailable",
        "text": f"ListAvailablePipelines: {NO_SERVER}",
        "exit_code": 9,
        "method": "ListAvailablePipelines",
    }


def test_the_doctor_says_what_to_do(lonely: CommandLine) -> None:
    shown = lonely.shown("doctor", code=1)
    assert "start the stack with `cuvis-fleet up`" in " ".join(shown.split())
    (told,) = lonely.documents("doctor", code=1)
    failed = [each["check"] for each in told["findings"] if each["level"] == "fail"]
    assert (told["ok"], failed) == (False, ["port", "server"])


def test_what_needs_no_server_works(lonely: CommandLine, scene_of_the_user: str) -> None:
    assert "written: scene.npy" in lonely.shown("convert", scene_of_the_user, "scene.npy")
    assert "no runs are noted" in lonely.shown("runs", "list")
    (told,) = lonely.documents("sessions", "list")
    assert told == {"sessions": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ("preview", "scene.npz", "--wavelengths", "850,650,450"),
        ("spectra", "scene.npz", "--pixel", "3,4", "--pixel", "23,0"),
    ],
    ids=["preview", "spectra"],
)
def test_pictures_of_a_scene_need_no_server(
    lonely: CommandLine, scene_of_the_user: str, arguments: tuple[str, ...]
) -> None:
    assert "drawn: seen.png" in lonely.shown(*arguments, "--out", "seen.png")
    assert (lonely.folder / "seen.png").read_bytes().startswith(b"\x89PNG")
    (told,) = lonely.documents(*arguments, "--out", "seen.svg")
    assert told == {"path": "seen.svg"}
    assert b"<svg" in (lonely.folder / "seen.svg").read_bytes()


def test_a_traceback_comes_with_debug_alone(lonely: CommandLine) -> None:
    shown = lonely.shown("pipelines", "list", "--debug", code=9)
    assert "Traceback (most recent call last)" in shown
    assert shown.rstrip().endswith(NO_SERVER)


def test_up_tells_why_the_stack_cannot_start(lonely: CommandLine) -> None:
    with lonely.terminal("up", "--address", "127.0.0.1:1", GRPC_PORT="1") as running:
        code = running.exit_code()
    assert code == 1, running.text
    assert "cuvis-fleet cannot start:" in running.text
    assert "Traceback" not in running.text
