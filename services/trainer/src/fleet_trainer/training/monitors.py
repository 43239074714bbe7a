"""Event files of a training, written where this server writes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fleet_engine import Pipeline
from fleet_engine.nodes.visualizers.tensorboard_monitor import TensorBoardMonitorNode
from fleet_platform.errors import AppError
from fleet_platform.files import PathPolicy


@contextmanager
def event_files(pipeline: Pipeline, policy: PathPolicy) -> Iterator[None]:
    """Let the monitor nodes write below the output folder, and close their files in the end.

    A folder outside is refused when the first event is written, with `InvalidInput`.

    Raises:
        Exhausted, DependencyDown: the files cannot be ended, and nothing else went wrong.
    """
    monitors = [
        node for node in pipeline.nodes.values() if isinstance(node, TensorBoardMonitorNode)
    ]
    for monitor in monitors:
        monitor.resolve_folder = policy.writable_folder
    try:
        yield
    except BaseException:
        for monitor in monitors:
            with suppress(AppError):
                monitor.close()
        raise
    for monitor in monitors:
        monitor.close()
