"""Where a pipeline lies."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SavedPipeline:
    """Where the server wrote a pipeline.

    Attributes:
        pipeline_path: of the configuration, absolute on the server.
        weights_path: of the weights.
    """

    pipeline_path: str
    weights_path: str
