"""What SaveTrainRun wrote."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class SavedTrainRun:
    """Absolute paths of the files.

    Attributes:
        trainrun_path: the trainrun.
        pipeline_path: the pipeline, where the form has it in a file of its own; else None.
        weights_path: the weights, where they were asked for; else None.
    """

    trainrun_path: Path
    pipeline_path: Path | None
    weights_path: Path | None
