"""One line of the table of trainings."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingResult:
    """What training one trainrun in one way gave.

    Attributes:
        training: the trainrun and the trainer.
        server: who trained.
        rounds: how often it was timed.
        epochs: passes over the training split that were asked for.
        seconds: from the call to its last message, the median of the rounds.
        seconds_per_epoch: the same, over the epochs.
        samples_per_second: measurements of the training split times epochs, over the seconds.
        ratio: how many times as fast as the published server; None without one.
    """

    training: str
    server: str
    rounds: int
    epochs: int
    seconds: float
    seconds_per_epoch: float
    samples_per_second: float
    ratio: float | None = None
