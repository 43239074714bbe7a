"""A message of a training, for programs."""

from dataclasses import asdict

from cuvis_fleet.models.progress import Progress


def progress_document(trainer: str, progress: Progress) -> dict[str, object]:
    """The message as a JSON object; `trainer` is the kind of training that it belongs to."""
    return {"trainer": trainer, **asdict(progress)}
