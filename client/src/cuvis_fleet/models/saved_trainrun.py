"""The files of a saved trainrun."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SavedTrainRun:
    """The files of a saved trainrun.

    Attributes:
        trainrun_path: absolute path of the trainrun on the server.
        pipeline_path: path of the pipeline; empty: it is part of the trainrun's file.
        weights_path: path of the weights; empty: they were not saved.
    """

    trainrun_path: str
    pipeline_path: str
    weights_path: str
