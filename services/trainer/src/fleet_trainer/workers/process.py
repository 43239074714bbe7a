"""One child process of the trainer, as its parent sees it."""

import subprocess
import sys
import threading
from collections.abc import Callable

from fleet_trainer.runs.executor import Assignment
from fleet_trainer.worker.child_metrics import METRICS_WORD

_END_WAIT_S = 5.0


class ChildProcess:
    """A Python process that works on one run at a time; `fleet_trainer.worker.main` is its side.

    The parent writes the settings as the first line and then an `Assignment` a line; the child
    answers with a `ChildReply` and tells its metrics in between. When the parent closes its end, or
    dies, the child ends by itself.
    """

    def __init__(
        self,
        settings_json: str,
        *,
        on_reply: Callable[["ChildProcess", str], None],
        on_metrics: Callable[["ChildProcess", str], None],
        on_exit: Callable[["ChildProcess"], None],
    ) -> None:
        """Start the process; returns before it is warm.

        Args:
            settings_json: The trainer's settings.
            on_reply: Called with each word of the child, on a thread of this object.
            on_metrics: Called with all that the child has counted until then, on the same thread.
            on_exit: Called once when the process has ended, likewise.
        """
        self.assignment: Assignment | None = None
        self.is_reserved = False
        self.is_warm = False
        self.is_spent = False
        self._on_reply = on_reply
        self._on_metrics = on_metrics
        self._on_exit = on_exit
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fleet_trainer.worker.main"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._send(settings_json)
        self._reader = threading.Thread(
            target=self._read, name=f"trainer-child-{self.pid}", daemon=True
        )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """As `subprocess` tells it: negative is a signal; None while it runs."""
        return self._process.returncode

    @property
    def is_idle(self) -> bool:
        """Whether it can be given a run, once it is warm."""
        return self.assignment is None and not self.is_reserved and not self.is_spent

    def watch(self) -> None:
        """Begin to pass on what the child says."""
        self._reader.start()

    def assign(self, assignment: Assignment) -> None:
        """Let the child work on a run."""
        self.assignment = assignment
        self._send(assignment.to_line())

    def retire(self) -> None:
        """Let the child end when it has nothing more to do."""
        self.is_spent = True
        self._close_stdin()

    def kill(self) -> None:
        """End the process now, whatever it does."""
        self.is_spent = True
        self._process.kill()
        self._close_stdin()

    def join(self) -> None:
        """Wait until the process has ended; it is killed when that takes longer than 5 s."""
        try:
            self._process.wait(_END_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join(_END_WAIT_S)

    def _send(self, line: str) -> None:
        if self._process.stdin is None:
            return
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except (OSError, ValueError):
            # The process is gone, its pipe perhaps closed; `on_exit` tells of its run.
            return

    def _close_stdin(self) -> None:
        if self._process.stdin is None:
            return
        try:
            self._process.stdin.close()
        except OSError:
            return

    def _read(self) -> None:
        if self._process.stdout is not None:
            with self._process.stdout as replies:
                for line in replies:
                    if line.endswith("\n"):  # else it was killed in the middle of a word
                        self._hear(line.strip())
        self._process.wait()
        self._close_stdin()
        self._on_exit(self)

    def _hear(self, line: str) -> None:
        word, _, report = line.partition(" ")
        if word == METRICS_WORD:
            self._on_metrics(self, report)
        else:
            self._on_reply(self, word)
