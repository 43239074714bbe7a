"""An interpreter with the published client library, kept running for many snippets."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.support.published.environment import published_environment
from tests.support.published.wheels import source
from tests.support.sdk_stub import cu3s

_LOOP = Path(__file__).with_name("interpreter_loop.py")
_STOP_DEADLINE_S = 120.0


@dataclass(frozen=True)
class Failure:
    """The exception that was raised.

    Attributes:
        type: the name of its class.
        code: the name of the gRPC status; None if it is not a failed call.
        text: its message.
        trace: its traceback.
    """

    type: str
    code: str | None
    text: str
    trace: str


@dataclass(frozen=True)
class Outcome:
    """The result of running code: its output, the requested values and its failure, if any."""

    printed: str
    shown: dict[str, Any]
    failure: Failure | None


class PublishedClient:
    """Runs client code in the interpreter that `published_client` starts."""

    def __init__(self, requests: IO[str], answers: IO[str]) -> None:
        self._requests, self._answers = requests, answers

    def run(self, code: Sequence[tuple[str, str]], shows: Sequence[str] = ()) -> Outcome:
        """Run texts one after another in a new namespace, then evaluate expressions in it.

        Args:
            code: the name (for tracebacks) and the text of each piece.
            shows: the expressions to evaluate.
        """
        self._requests.write(json.dumps({"code": code, "shows": shows}) + "\n")
        self._requests.flush()
        answer = json.loads(self._answers.readline())
        failed = answer["error"]
        return Outcome(answer["printed"], answer["shown"], Failure(**failed) if failed else None)


@contextmanager
def published_client(
    address: str, folder: Path, authority: Path | None = None
) -> Iterator[PublishedClient]:
    """Start an interpreter with the client side of cuvis-ai 0.4.0 and its ``workflow_utils``.

    Args:
        address: the target of calls to the addresses in the guide.
        folder: the working directory, which receives the log ``client.log``.
        authority: the trusted certificate authority; None for those of this machine.
    """
    examples = source("cuvis-ai", "0.4.0") / "examples" / "grpc"
    paths = (cu3s.PYTHONPATH, cu3s.PYTHONPATH / "moved", examples)
    trust = {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(authority)} if authority else {}
    with (folder / "client.log").open("wb") as log:
        process = subprocess.Popen(
            [published_environment("cuvis-ai-0.4.0-full"), _LOOP, address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "PYTHONPATH": os.pathsep.join(map(str, paths)),
                **trust,
            },
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield PublishedClient(process.stdin, process.stdout)
        finally:
            process.stdin.close()
            try:
                process.wait(_STOP_DEADLINE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()
