"""Pictures that hold a result beside its scene: ``--overlay`` and ``--roc``."""

from dataclasses import dataclass
from pathlib import Path

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.formats import Scene
from cuvis_fleet.models.result import Result


@dataclass(frozen=True)
class ResultPictures:
    """What is asked for.

    Attributes:
        overlay: where the decisions are drawn over the scene; None: nowhere.
        roc: where scores are held against the scene's mask; None: nowhere.
    """

    overlay: Path | None
    roc: Path | None

    @property
    def paths(self) -> list[Path]:
        """Of the pictures."""
        return [path for path in (self.overlay, self.roc) if path is not None]

    def check(self, scene: Scene, file: Path) -> None:
        """Refuse what cannot be drawn of the scene of a file, before anything is inferred.

        Raises:
            UnwritableFile: a path is of another kind, or there is no such folder.
            MissingExtra: there is nothing to draw with.
            CommandFailed: the scene has no truth for the ROC.
        """
        if self.paths:
            from cuvis_fleet import pictures

            for path in self.paths:
                pictures.check_path(path)
        truth = scene.mask_HW
        if self.roc is None or (truth is not None and truth.any() and not truth.all()):
            return
        what = "no mask" if truth is None else "a mask of one class alone"
        raise CommandFailed(
            f"--roc holds scores against the truth, but {file} has {what}; add a mask, 0 where "
            "nothing anomalous is, or leave --roc out",
            ExitCode.INVALID_INPUT,
        )

    def draw(self, scene: Scene, result: Result) -> list[Path]:
        """Draw the pictures; returns their paths.

        Raises:
            UnwritableFile: there is no room.
            CommandFailed: the result lacks what is drawn.
        """
        if self.paths:
            from cuvis_fleet import pictures
        if self.overlay is not None:
            figure = pictures.decision_overlay(
                result[_only(result, "decisions", "--overlay")],
                scene.cube_HWC,
                truth=scene.mask_HW,
                title=f"{scene.name}: decisions",
            )
            pictures.save(figure, self.overlay)
        if self.roc is not None and scene.mask_HW is not None:
            decisions = _named(result, "decisions")
            figure = pictures.roc(
                result[_only(result, "scores", "--roc")],
                scene.mask_HW,
                decisions=result[decisions[0]] if len(decisions) == 1 else None,
                title=scene.name,
            )
            pictures.save(figure, self.roc)
        return self.paths


def _named(result: Result, port: str) -> list[str]:
    return [name for name in result if port == name.partition(".")[2]]


def _only(result: Result, port: str, option: str) -> str:
    """The name of the output of this port.

    Raises:
        CommandFailed: there is none, or there are several.
    """
    found = _named(result, port)
    if len(found) == 1:
        return found[0]
    what = "several" if found else "none"
    raise CommandFailed(
        f"{option} draws the output {port}, but {what} of {', '.join(result)} is named so; "
        "choose outputs with --output, or another pipeline",
        ExitCode.INVALID_INPUT,
    )
