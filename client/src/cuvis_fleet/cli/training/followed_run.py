"""The training runs of a trainrun, in sequence, across invocations of the command line."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.cli.sessions.session_journal import JournalEntry, SessionJournal
from cuvis_fleet.models.progress import Progress
from cuvis_fleet.models.saved_pipeline import SavedPipeline
from cuvis_fleet.operations.session_operations import Trainer
from cuvis_fleet.session import Session
from fleet_proto.training_key import new_key

TRAINERS: tuple[Trainer, ...] = get_args(Trainer)


class FollowedRun:
    """Executes the training runs of a session's trainrun, or resumes following them.

    The key of each training is written to the journal before the training is requested, so that a
    later invocation follows the right one, whether it is running, has ended or never started.
    """

    def __init__(self, session: Session, journal: SessionJournal, entry: JournalEntry) -> None:
        self._session = session
        self._journal = journal
        self.entry = entry

    def start(self) -> Iterator[tuple[str, Progress]]:
        """Start with the first training; yield each message with the kind of its training."""
        yield from self._from(0)

    def resume(self) -> Iterator[tuple[str, Progress]]:
        """Resume where an earlier invocation detached.

        A started training is followed from its first message and not started again, even if it
        has ended.
        """
        entry = self.entry
        kind = entry.trainers[entry.phase]
        if entry.key and not entry.started:
            yield from self._followed(kind, self._session.train(_trainer(kind), key=entry.key))
        else:
            yield from self._followed(kind, self._session.follow(key=entry.key or None))
        yield from self._from(entry.phase + 1)

    def finish(self) -> SavedPipeline | None:
        """If requested, save the pipeline and close the session."""
        if not self.entry.save_path:
            return None
        saved = self._session.save(self.entry.save_path)
        self._session.close()
        self._journal.remove(self.entry.session_id)
        return saved

    def _from(self, first: int) -> Iterator[tuple[str, Progress]]:
        for phase in range(first, len(self.entry.trainers)):
            trainer = _trainer(self.entry.trainers[phase])
            self._record(phase=phase, key=new_key(), started=False)
            yield from self._followed(trainer, self._session.train(trainer, key=self.entry.key))

    def _followed(self, kind: str, messages: Iterator[Progress]) -> Iterator[tuple[str, Progress]]:
        for progress in messages:
            if not self.entry.started:
                self._record(started=True)
            yield kind, progress
            self._check(progress)

    def _record(self, **changes: Any) -> None:
        self.entry = self._journal.write(replace(self.entry, **changes))

    def _check(self, progress: Progress) -> None:
        if progress.status == "cancelled":
            raise CommandFailed(f"the training was stopped: {progress.message}", ExitCode.CANCELLED)
        if progress.status == "error":
            raise CommandFailed(f"the training failed: {progress.message}", ExitCode.FAILED)


def trainers_of(choice: str, trainrun: dict[str, object]) -> tuple[str, ...]:
    """Return the kinds of training that ``--trainer`` selects for a trainrun.

    Args:
        choice: a kind, or ``auto``: statistical, then gradient if the trainrun has losses.
        trainrun: the resolved trainrun.
    """
    if choice != "auto":
        return (_trainer(choice),)
    return ("statistical", "gradient") if trainrun.get("loss_nodes") else ("statistical",)


def _trainer(name: str) -> Trainer:
    for trainer in TRAINERS:
        if trainer == name:
            return trainer
    raise CommandFailed(f"unknown trainer {name}; use auto, {', '.join(TRAINERS)}", ExitCode.USAGE)
