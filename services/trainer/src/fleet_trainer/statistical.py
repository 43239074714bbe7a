"""Statistical training: each node that needs statistics reads the training measurements."""

from collections.abc import Callable, Iterator

from torch import Tensor

from fleet_engine import Pipeline
from fleet_engine.data import batches, open_measurements
from fleet_engine.training import FitEvent, fit_statistics
from fleet_platform.files import PathPolicy
from fleet_schemas import DataConfig
from fleet_trainer.progress import Progress
from fleet_trainer.train_messages import node_ended, node_progressed, node_started


def fit_statistically(
    pipeline: Pipeline,
    data: DataConfig,
    *,
    policy: PathPolicy,
    progress: Progress,
    should_stop: Callable[[], bool],
) -> None:
    """Fit `pipeline` in place to the training split, in the order of its ids.

    Args:
        pipeline: On the device on which it is to be fitted.
        data: Names the file and the measurements.
        policy: What may be read.
        progress: Is told of each node.
        should_stop: Asked between batches.

    Raises:
        AppError: the file or the ids are not there, or do not fit the pipeline.
        Cancelled: `should_stop` said so.
    """
    measurements = open_measurements(data, policy)
    measurements.check_ids(data.train_ids)

    def read() -> Iterator[dict[str, Tensor]]:
        return batches(measurements, data.train_ids, data.batch_size)

    fit_statistics(
        pipeline,
        read,
        on_event=lambda event: _tell(progress, event),
        should_stop=should_stop,
        total=len(data.train_ids),
    )


def _tell(progress: Progress, event: FitEvent) -> None:
    match event.kind:
        case "start":
            progress.send(node_started(event.node, event.total))
        case "progress":
            progress.send_if_due(node_progressed(event.node, event.done, event.total))
        case "end":
            progress.send(node_ended(event.node, event.done, event.total))
