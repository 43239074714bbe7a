"""Each kind of failure has a line of text and an exit code."""

import errno
import subprocess
import sys

import grpc
import pytest

from cuvis_fleet import errors
from cuvis_fleet.cli.exit_code import CODE_OF_ERROR, MEANINGS, ExitCode
from cuvis_fleet.cli.failures import CommandFailed, FailureReport
from cuvis_fleet.extras import MissingExtra
from cuvis_fleet.formats import UnreadableScene


def kinds(kind):
    for each in kind.__subclasses__():
        yield each
        yield from kinds(each)


def test_each_error_of_the_library_has_a_separate_exit_code():
    of_no_call = {errors.WrongArgument}
    assert set(CODE_OF_ERROR) == set(kinds(errors.CuvisFleetError)) - of_no_call
    assert len(set(CODE_OF_ERROR.values())) == len(CODE_OF_ERROR)


def test_every_exit_code_has_a_meaning():
    assert set(MEANINGS) == set(ExitCode)


@pytest.mark.parametrize(
    ("error", "text", "code"),
    [
        (CommandFailed("no\nway", ExitCode.USAGE), "no way", 2),
        (UnreadableScene("x.npz does not exist."), "x.npz does not exist.", 14),
        (OSError(errno.ENOSPC, "No space left on device", "a.npz"), None, 14),
        (MissingExtra("pip install it"), "pip install it", 15),
        (ValueError("the scores are flat"), "the scores are flat", 3),
        (errors.WrongArgument("the cube is flat"), "the cube is flat", 3),
        (KeyError("x"), "unexpected KeyError: 'x'; --debug prints the traceback", 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_local_failures(error, text, code):
    failure = FailureReport.of(error)
    assert failure.text == (text or "a.npz: No space left on device")
    assert (failure.code, failure.method) == (code, None)


def test_a_failed_call_names_its_method_and_a_defect_its_trace():
    call = ("Inference", grpc.StatusCode.INTERNAL, "Something broke.", "ab" * 16)
    assert FailureReport.of(errors.ServerDefect(*call)).text == (
        f"Inference: Something broke. (trace id {'ab' * 16})"
    )
    assert FailureReport.of(errors.InvalidInput(*call)).text == "Inference: Something broke."
    assert FailureReport.of(errors.ServerDefect(*call)).document["error"] == {
        "kind": "ServerDefect",
        "text": f"Inference: Something broke. (trace id {'ab' * 16})",
        "exit_code": 13,
        "method": "Inference",
        "trace_id": "ab" * 16,
    }


def test_transport_details_are_omitted_in_a_terminal():
    text = "no server answers at h:1 (failed to connect to all addresses; last error: (gone))"
    shown = FailureReport.of(
        errors.Unavailable("Train", grpc.StatusCode.UNAVAILABLE, text, "")
    ).text
    assert shown == "Train: no server answers at h:1"


def test_without_the_extra_one_line_names_the_command_to_install_it():
    program = (
        "import sys; sys.modules['typer'] = None; from cuvis_fleet.cli.entry import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == ExitCode.MISSING
    assert done.stderr == (
        "The commands of cuvis-fleet need typer, which is not installed: "
        "pip install 'cuvis-fleet[cli]'\n"
    )
