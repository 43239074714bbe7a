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
    """The exception that came out.

    Attributes:
        type: name of its class.
        code: name of the gRPC status; None: it is no failed call.
        text: what it says.
        trace: where it came from.
    """

    type: str
    code: str | None
    text: str
    trace: str


@dataclass(frozen=True)
class Outcome:
    """What came of a piece of code: what it printed, what was asked for, how it failed."""

    printed: str
    shown: dict[str, Any]
    failure: Failure | None


class PublishedClient:
    """Runs code of clients; made by `published_client`."""

    def __init__(self, requests: IO[str], answers: IO[str]) -> None:
        self._requests, self._answers = requests, answers

    def run(self, code: Sequence[tuple[str, str]], shows: Sequence[str] = ()) -> Outcome:
        """Run texts in turn in one new namespace, then evaluate expressions in it.

        Args:
            code: name (for traces) and text of each.
            shows: expressions whose values are wanted.
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
    """An interpreter with cuvis-ai 0.4.0's client side and its example's ``workflow_utils``.

    Args:
        address: where calls to the addresses of the guide go.
        folder: where it works; its log goes to ``client.log`` in it.
        authority: certificate of whom it trusts; None: whom this machine trusts.
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
