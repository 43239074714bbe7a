"""The picture of a training that ``--curves`` asks for."""

from pathlib import Path
from typing import Annotated

import typer

from cuvis_fleet.cli.report import Report
from cuvis_fleet.formats import UnwritableFile
from cuvis_fleet.models.progress import Progress

CURVES = Annotated[
    Path | None,
    typer.Option(
        help="Picture of losses and metrics, drawn at the end or when left: .png, .svg or .pdf."
    ),
]


class CurvesPicture:
    """Collects what a training tells, and draws it at the end."""

    def __init__(self, path: Path | None) -> None:
        """Check the path before anything is trained.

        Args:
            path: where to; None: nothing is drawn.

        Raises:
            UnwritableFile: it is of another kind, or there is no such folder.
            MissingExtra: there is nothing to draw with.
        """
        self._path = path
        self._told: list[Progress] = []
        if path is not None:
            from cuvis_fleet import pictures

            pictures.check_path(path)

    def add(self, progress: Progress) -> None:
        """Take in a message."""
        if self._path is not None and (progress.losses or progress.metrics):
            self._told.append(progress)

    def draw(self, report: Report, title: str) -> str | None:
        """Draw what was told; returns the path.

        Nothing to draw, or no room for it, is a note and no failure of the training.
        """
        if self._path is None:
            return None
        from cuvis_fleet import pictures

        if not self._told:
            report.note(
                f"{self._path} was not drawn: no loss and no metric was told; statistical "
                "trainings have none."
            )
            return None
        try:
            pictures.save(pictures.training_curves(self._told, title=title), self._path)
        except UnwritableFile as error:
            report.note(str(error))
            return None
        report.note(f"drawn: {self._path}")
        return str(self._path)
