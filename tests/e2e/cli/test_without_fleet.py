"""Every command without a server: one line and an exit code, without a traceback."""

import pytest

from tests.e2e.cli.conftest import CommandLine

pytestmark = pytest.mark.e2e

NO_SERVER = "no server answers at 127.0.0.1:1; check that it is running"
COMMANDS = {
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


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_a_missing_server_is_reported_in_one_line(
    lonely: CommandLine, scene_of_the_user: str, arguments: tuple[str, ...]
) -> None:
    shown = lonely.shown(*arguments, code=9, columns=40)
    assert "Traceback" not in shown
    assert shown.count(NO_SERVER) == 1, shown


def test_json_has_the_same_error(lonely: CommandLine) -> None:
    (document,) = lonely.documents("pipelines", "list", code=9)
    assert document["error"]["trace_id"]
    del document["error"]["trace_id"]
    assert document["error"] == {
        "kind": "Unavailable",
        "text": f"ListAvailablePipelines: {NO_SERVER}",
        "exit_code": 9,
        "method": "ListAvailablePipelines",
    }


def test_the_doctor_suggests_remedies(lonely: CommandLine) -> None:
    shown = lonely.shown("doctor", code=1)
    assert "start the stack with `cuvis-fleet up`" in " ".join(shown.split())
    (document,) = lonely.documents("doctor", code=1)
    failed = [each["check"] for each in document["findings"] if each["level"] == "fail"]
    assert (document["ok"], failed) == (False, ["port", "server"])


def test_commands_without_a_server_work(lonely: CommandLine, scene_of_the_user: str) -> None:
    assert "written: scene.npy" in lonely.shown("convert", scene_of_the_user, "scene.npy")
    assert "no runs are recorded" in lonely.shown("runs", "list")
    (document,) = lonely.documents("sessions", "list")
    assert document == {"sessions": []}


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
    (document,) = lonely.documents(*arguments, "--out", "seen.svg")
    assert document == {"path": "seen.svg"}
    assert b"<svg" in (lonely.folder / "seen.svg").read_bytes()


def test_only_debug_prints_a_traceback(lonely: CommandLine) -> None:
    shown = lonely.shown("pipelines", "list", "--debug", code=9)
    assert "Traceback (most recent call last)" in shown
    assert shown.rstrip().endswith(NO_SERVER)


def test_up_reports_why_the_stack_cannot_start(lonely: CommandLine) -> None:
    with lonely.terminal("up", "--address", "127.0.0.1:1", GRPC_PORT="1") as running:
        code = running.exit_code()
    assert code == 1, running.text
    assert "cuvis-fleet cannot start:" in running.text
    assert "Traceback" not in running.text
