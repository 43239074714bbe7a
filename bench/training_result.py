"""One line of the table of training runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingResult:
    """The result of one kind of training of one trainrun.

    Attributes:
        training: the trainrun and the kind of training.
        server: the server.
        rounds: number of timed rounds.
        epochs: requested passes over the training split.
        seconds: from the call to its last message, median of the rounds.
        seconds_per_epoch: the same, divided by the epochs.
        samples_per_second: measurements of the training split times epochs, divided by the seconds.
        ratio: speed relative to the published server; None without one.
    """

    training: str
    server: str
    rounds: int
    epochs: int
    seconds: float
    seconds_per_epoch: float
    samples_per_second: float
    ratio: float | None = None
