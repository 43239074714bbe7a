"""Event files of a training, written where this server writes."""

from collections.abc import Iterator
from contextlib import contextmanager

from fleet_engine import Pipeline
from fleet_engine.nodes import TensorBoardMonitorNode
from fleet_platform.files import PathPolicy


@contextmanager
def event_files(pipeline: Pipeline, policy: PathPolicy) -> Iterator[None]:
    """Let the monitor nodes write below the output folder, and close their files in the end.

    A folder outside is refused when the first event is written, with `InvalidInput`.
    """
    monitors = [
        node for node in pipeline.nodes.values() if isinstance(node, TensorBoardMonitorNode)
    ]
    for monitor in monitors:
        monitor.resolve_folder = policy.writable_folder
    try:
        yield
    finally:
        for monitor in monitors:
            monitor.close()
