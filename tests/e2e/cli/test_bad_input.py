"""User mistakes: each is reported in one clear line, without a traceback."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path

import grpc
import numpy as np
import pytest

from tests.e2e.cli.conftest import PROGRAM, CommandLine
from tests.support.certificates import Authority
from tests.support.fake_service import FakeService, serving
from tests.support.terminal import terminal

pytestmark = pytest.mark.e2e

BANDS = 5
RGB = ("--wavelengths", "860,660,560")


@pytest.fixture
def double() -> Iterator[tuple[FakeService, str]]:
    """A fake service and its address."""
    double = FakeService()
    with serving(double) as address:
        yield double, address


@pytest.fixture
def other_port() -> Iterator[str]:
    """The address of a program that closes each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def hang_up() -> None:
            while True:
                try:
                    listening.accept()[0].close()
                except OSError:
                    return

        threading.Thread(target=hang_up, daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def secure_port(tmp_path: Path) -> Iterator[str]:
    """The address of a server that uses TLS and implements no methods."""
    pair = Authority(tmp_path / "tls").server()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    credentials = grpc.ssl_server_credentials(
        [(pair.key.read_bytes(), pair.certificate.read_bytes())]
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    yield f"localhost:{port}"
    server.stop(grace=None).wait()


def one_line(cli: CommandLine, *arguments: str | Path, code: int) -> str:
    """Return the line that a terminal shows, regardless of its width."""
    shown = cli.shown(*arguments, code=code, columns=30)
    assert "Traceback" not in shown
    assert len(shown.splitlines()) == 1, shown
    return shown.strip()


def test_another_port(lonely: CommandLine, other_port: str) -> None:
    line = one_line(lonely, "pipelines", "list", "--address", other_port, code=9)
    assert other_port in line


def test_a_plain_client_on_a_port_with_tls(lonely: CommandLine, secure_port: str) -> None:
    line = one_line(lonely, "pipelines", "list", "--address", secure_port, code=9)
    assert line == (
        f"ListAvailablePipelines: {secure_port} closed the connection; if the server uses TLS,"
        " connect with TLS (tls= or --tls)"
    )


def test_a_client_with_tls_on_a_plain_port(
    lonely: CommandLine, double: tuple[FakeService, str]
) -> None:
    _, address = double
    line = one_line(lonely, "pipelines", "list", "--address", address, "--tls", code=9)
    assert line == (
        f"ListAvailablePipelines: the server at {address} does not use TLS; connect without it"
    )


def test_an_untrusted_and_a_trusted_certificate(lonely: CommandLine, secure_port: str) -> None:
    arguments = ("pipelines", "list", "--address", secure_port)
    line = one_line(lonely, *arguments, "--tls", code=9)
    assert "pass the file of its authority (tls= or --ca)" in line
    # With a trusted certificate the call reaches the server, which lacks the method.
    line = one_line(lonely, *arguments, "--ca", "tls/ca.pem", code=12)
    assert "does not implement ListAvailablePipelines" in line


def test_a_wrong_key(lonely: CommandLine, double: tuple[FakeService, str]) -> None:
    wire, address = double
    wire.answers["ListAvailablePipelines"] = (
        grpc.StatusCode.UNAUTHENTICATED,
        "The API key is not known.",
    )
    arguments = ("pipelines", "list", "--address", address, "--api-key", "wrong")
    line = one_line(lonely, *arguments, code=7)
    assert line == "ListAvailablePipelines: The API key is not known."


def array_file(folder: Path, make: Callable[[], np.ndarray]) -> Path:
    path = folder / "cube.npy"
    np.save(path, make())
    return path


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: np.zeros((4, BANDS), np.uint16), "the cube has the shape (4, 5)"),
        (lambda: np.zeros((4, 4, BANDS), np.complex64), "the cube has the type complex64"),
        (lambda: np.array([[["a", "b"]]]), "the cube has the type <U1"),
    ],
    ids=["rank", "complex", "text"],
)
def test_an_unsupported_cube(
    lonely: CommandLine, make: Callable[[], np.ndarray], text: str
) -> None:
    path = array_file(lonely.folder, make)
    assert text in one_line(lonely, "infer", path, "--pipeline", "rx", code=14)


def test_wavelengths_that_do_not_fit(lonely: CommandLine) -> None:
    path = lonely.folder / "cube.npz"
    np.savez(path, cube=np.zeros((4, 4, BANDS), np.uint16), wavelengths=np.arange(3.0))
    line = one_line(lonely, "infer", path, "--pipeline", "rx", code=14)
    assert "the cube has 5 bands, but there are 3 wavelengths" in line


@pytest.mark.parametrize(
    ("arguments", "text", "code"),
    [
        (("infer", "photo.jpg", "--pipeline", "rx"), "photo.jpg has an unknown format (.jpg)", 14),
        (("infer", "none.npz", "--pipeline", "rx"), "none.npz does not exist", 14),
        (("infer", "none.npz"), "give either --pipeline", 2),
        (("convert", "scene.npz", "scene.bmp"), "scene.bmp has an unknown format (.bmp)", 14),
        (("pipelines", "graph", "rx", "--out", "x.gif"), "x.gif has an unknown format", 14),
        (("preview", "scene.npz", "--out", "x.gif"), "x.gif cannot be drawn: pictures are", 14),
        (
            ("preview", "scene.npz", "--out", "no/x.png"),
            "the folder no does not exist; create it first",
            14,
        ),
        (("preview", "bare.npy", "--out", "x.png", *RGB), "bare.npy has no wavelengths", 3),
        (
            ("spectra", "scene.npz", "--pixel", "24,0", "--out", "x.png"),
            "(24, 0) is outside of the cube",
            3,
        ),
        (("infer", "scene.npz", "--pipeline", "rx", "--roc", "x.png"), "scene.npz has no mask", 3),
        (("infer", "scene.npz", "--pipeline", "rx", "--overlay", "x.bmp"), "not .bmp", 14),
        (
            ("train", "rx_statistical", "--curves", "no/x.png"),
            "the folder no does not exist; create it first",
            14,
        ),
        (("runs", "attach", "abc", "--curves", "x.bmp"), "not .bmp", 14),
        (("resolve", "rx_statistical"), "write TYPE/NAME, such as trainrun/rx_statistical", 2),
        (("sessions", "close", "../x"), "no server answers", 9),
        (("pipelines", "list", "--ca", "none.pem"), "none.pem: No such file or directory", 14),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_invalid_arguments(
    lonely: CommandLine,
    scene_of_the_user: str,
    arguments: tuple[str, ...],
    text: str,
    code: int,
) -> None:
    np.save(lonely.folder / "bare.npy", np.zeros((4, 4, BANDS), np.uint16))
    assert text in one_line(lonely, *arguments, code=code)


@pytest.mark.parametrize(
    "arguments",
    [
        ("pipelines", "list", "--address", "localhost"),
        ("pipelines", "list", "--cert", "a.pem"),
        ("trian", "rx_statistical"),
        ("infer",),
        ("preview", "scene.npz", "--out", "x.png", "--wavelengths", "860,660"),
        ("spectra", "scene.npz", "--out", "x.png", "--pixel", "a,b"),
    ],
    ids=["address", "certificate", "command", "argument", "wavelengths", "pixel"],
)
def test_a_wrong_command_line_shows_the_usage(
    lonely: CommandLine, arguments: tuple[str, ...]
) -> None:
    shown = lonely.shown(*arguments, code=2)
    assert "Usage: cuvis-fleet" in shown
    assert "Traceback" not in shown


def test_a_full_disk_leaves_no_partial_file(lonely: CommandLine, scene_of_the_user: str) -> None:
    # The shell's limit on the size of files, in KiB, simulates a full volume.
    program = lonely.folder / "limited.sh"
    program.write_text('ulimit -f 1\nexec "$@"\n', encoding="utf-8")
    command = ["bash", program, PROGRAM, "convert", scene_of_the_user, "large.npy"]
    with terminal(command, lonely.environment, folder=lonely.folder) as running:
        code = running.exit_code()
    assert code == 14, running.text
    assert re.fullmatch(
        r"large\.npy cannot be written: the disk is full \(.*\)\. No partial file remains\.",
        running.text.strip(),
    )
    assert not (lonely.folder / "large.npy").exists()


@pytest.mark.parametrize(
    ("variables", "columns"),
    [({"NO_COLOR": "1"}, 100), ({"TERM": "dumb"}, 100), ({"TERM": "dumb"}, 0), ({}, 20)],
    ids=["no colour", "dumb", "no width", "narrow"],
)
def test_a_terminal_without_colour_or_width(
    lonely: CommandLine, variables: dict[str, str], columns: int
) -> None:
    with lonely.terminal("doctor", columns=columns, **variables) as running:
        code = running.exit_code()
    assert code == 1, running.text
    assert "ok" in running.text
    coloured = re.search(r"\x1b\[[0-9;]*3[0-7]m", running.raw) is not None
    assert coloured is not bool(variables), running.raw
