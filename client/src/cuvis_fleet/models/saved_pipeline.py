"""The files of a saved pipeline."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SavedPipeline:
    """The files of a saved pipeline.

    Attributes:
        pipeline_path: absolute path of the configuration on the server.
        weights_path: absolute path of the weights on the server.
    """

    pipeline_path: str
    weights_path: str
