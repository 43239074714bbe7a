"""Progress messages as JSON."""

from dataclasses import asdict

from cuvis_fleet.models.progress import Progress


def progress_document(trainer: str, progress: Progress) -> dict[str, object]:
    """Return a message as a JSON object; `trainer` is the kind of training."""
    return {"trainer": trainer, **asdict(progress)}
