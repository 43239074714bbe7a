"""The picture of a training for ``--curves``."""

from pathlib import Path
from typing import Annotated

import typer

from cuvis_fleet.cli.report import Report
from cuvis_fleet.formats import UnwritableFile
from cuvis_fleet.models.progress import Progress

CURVES = Annotated[
    Path | None,
    typer.Option(
        help="Picture of losses and metrics, drawn at the end or on Ctrl-C: .png, .svg or .pdf."
    ),
]


class CurvesPicture:
    """Collects the messages of a training and draws them at the end."""

    def __init__(self, path: Path | None) -> None:
        """Check the path before the training.

        Args:
            path: file of the picture; None: nothing is drawn.

        Raises:
            UnwritableFile: its format is unknown, or its folder does not exist.
            MissingExtra: the drawing library is not installed.
        """
        self._path = path
        self._messages: list[Progress] = []
        if path is not None:
            from cuvis_fleet import pictures

            pictures.check_path(path)

    def add(self, progress: Progress) -> None:
        """Add a message."""
        if self._path is not None and (progress.losses or progress.metrics):
            self._messages.append(progress)

    def draw(self, report: Report, title: str) -> str | None:
        """Draw the messages so far; return the path.

        If there is nothing to draw or the disk is full, a note is written; the training does not
        fail.
        """
        if self._path is None:
            return None
        from cuvis_fleet import pictures

        if not self._messages:
            report.note(
                f"{self._path} was not drawn: the training reported no losses or metrics; "
                "statistical training runs have none."
            )
            return None
        try:
            pictures.save(pictures.training_curves(self._messages, title=title), self._path)
        except UnwritableFile as error:
            report.note(str(error))
            return None
        report.note(f"drawn: {self._path}")
        return str(self._path)
