"""Pictures of a result and its scene: ``--overlay`` and ``--roc``."""

from dataclasses import dataclass
from pathlib import Path

from cuvis_fleet.cli.exit_code import ExitCode
from cuvis_fleet.cli.failures import CommandFailed
from cuvis_fleet.formats import Scene
from cuvis_fleet.models.result import Result


@dataclass(frozen=True)
class ResultPictures:
    """The requested pictures.

    Attributes:
        overlay: file for the decisions over the scene; None: not drawn.
        roc: file for the ROC curve against the scene's mask; None: not drawn.
    """

    overlay: Path | None
    roc: Path | None

    @property
    def paths(self) -> list[Path]:
        """The files of the pictures."""
        return [path for path in (self.overlay, self.roc) if path is not None]

    def check(self, scene: Scene, file: Path) -> None:
        """Check, before inference, that the pictures can be drawn for the scene of a file.

        Raises:
            UnwritableFile: a path has an unknown format, or its folder does not exist.
            MissingExtra: the drawing library is not installed.
            CommandFailed: the scene has no mask for the ROC curve.
        """
        if self.paths:
            from cuvis_fleet import pictures

            for path in self.paths:
                pictures.check_path(path)
        truth = scene.mask_HW
        if self.roc is None or (truth is not None and truth.any() and not truth.all()):
            return
        found = "no mask" if truth is None else "a mask with only one class"
        raise CommandFailed(
            f"--roc compares scores with the mask, but {file} has {found}; add a mask that is 0 "
            "where nothing is anomalous, or omit --roc",
            ExitCode.INVALID_INPUT,
        )

    def draw(self, scene: Scene, result: Result) -> list[Path]:
        """Draw the pictures and return their paths.

        Raises:
            UnwritableFile: the disk is full.
            CommandFailed: the result lacks an output to draw.
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
    """Return the name of the only output of this port.

    Raises:
        CommandFailed: no output or several outputs have this port.
    """
    found = _named(result, port)
    if len(found) == 1:
        return found[0]
    raise CommandFailed(
        f"{option} needs exactly one output {port}, but the outputs are {', '.join(result)}; "
        "choose outputs with --output, or another pipeline",
        ExitCode.INVALID_INPUT,
    )
