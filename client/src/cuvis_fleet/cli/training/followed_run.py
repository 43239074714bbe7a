"""A trainrun's trainings, one after the other, over several calls of the command line."""

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
    """Trains what was applied to a session, or comes back to it.

    Each training is noted with its key before it is asked for, so that a later call goes on with
    the right one, whether it runs, has ended, or was never begun.
    """

    def __init__(self, session: Session, journal: SessionJournal, entry: JournalEntry) -> None:
        self._session = session
        self._journal = journal
        self.entry = entry

    def begin(self) -> Iterator[tuple[str, Progress]]:
        """Train from the start; yields the kind of the training and what it tells."""
        yield from self._from(0)

    def come_back(self) -> Iterator[tuple[str, Progress]]:
        """Go on where an earlier call left.

        A training that was begun is told from its first message and not begun again, though it
        ended meanwhile.
        """
        entry = self.entry
        kind = entry.trainers[entry.phase]
        if entry.key and not entry.begun:
            yield from self._told(kind, self._session.train(_trainer(kind), key=entry.key))
        else:
            yield from self._told(kind, self._session.follow(key=entry.key or None))
        yield from self._from(entry.phase + 1)

    def finish(self) -> SavedPipeline | None:
        """Save the pipeline where that was asked for, and then end the session."""
        if not self.entry.save_path:
            return None
        saved = self._session.save(self.entry.save_path)
        self._session.close()
        self._journal.forget(self.entry.session_id)
        return saved

    def _from(self, first: int) -> Iterator[tuple[str, Progress]]:
        for phase in range(first, len(self.entry.trainers)):
            trainer = _trainer(self.entry.trainers[phase])
            self._note(phase=phase, key=new_key(), begun=False)
            yield from self._told(trainer, self._session.train(trainer, key=self.entry.key))

    def _told(self, kind: str, messages: Iterator[Progress]) -> Iterator[tuple[str, Progress]]:
        for progress in messages:
            if not self.entry.begun:
                self._note(begun=True)
            yield kind, progress
            self._check(progress)

    def _note(self, **news: Any) -> None:
        self.entry = self._journal.write(replace(self.entry, **news))

    def _check(self, progress: Progress) -> None:
        if progress.status == "cancelled":
            raise CommandFailed(f"the training was stopped: {progress.message}", ExitCode.CANCELLED)
        if progress.status == "error":
            raise CommandFailed(f"the training failed: {progress.message}", ExitCode.FAILED)


def trainers_of(choice: str, trainrun: dict[str, object]) -> tuple[str, ...]:
    """The trainings that a choice of ``--trainer`` means for a trainrun.

    Args:
        choice: a kind, or ``auto``: statistical, then gradient where the trainrun names losses.
        trainrun: as it was resolved.
    """
    if choice != "auto":
        return (_trainer(choice),)
    return ("statistical", "gradient") if trainrun.get("loss_nodes") else ("statistical",)


def _trainer(name: str) -> Trainer:
    for trainer in TRAINERS:
        if trainer == name:
            return trainer
    raise CommandFailed(
        f"there is no trainer {name}; use auto, {', '.join(TRAINERS)}", ExitCode.USAGE
    )
