"""Where a trainrun lies."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SavedTrainRun:
    """Where the server wrote a trainrun.

    Attributes:
        trainrun_path: of the trainrun, absolute on the server.
        pipeline_path: of the pipeline, where it has a file of its own; else empty.
        weights_path: of the weights; empty: they were not saved.
    """

    trainrun_path: str
    pipeline_path: str
    weights_path: str
