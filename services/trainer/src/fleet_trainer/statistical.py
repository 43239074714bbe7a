"""Statistical training: each node that needs statistics reads the training measurements."""

from collections.abc import Iterator

from torch import Tensor

from fleet_engine.data import batches, open_measurements
from fleet_engine.training import FitEvent, fit_statistics
from fleet_trainer import train_messages
from fleet_trainer.progress import Progress
from fleet_trainer.training_work import Trained, TrainingWork


def train_statistically(work: TrainingWork) -> Trained:
    """Fit the pipeline in place to the training split, in the order of its ids.

    Raises:
        AppError: the file or the ids are not there, or do not fit the pipeline.
        Cancelled: it was to stop; the nodes whose fit had ended keep their new statistics.
    """
    fit_nodes(work)
    return Trained(work.pipeline.config, train_messages.complete_statistical())


def fit_nodes(work: TrainingWork) -> None:
    """Fit all nodes that need it, telling of each; raises as `train_statistically`."""
    data = work.data
    measurements = open_measurements(data, work.policy, read_ahead=work.read_ahead)
    measurements.check_ids(data.train_ids)

    def read() -> Iterator[dict[str, Tensor]]:
        return batches(measurements, data.train_ids, data.batch_size)

    fit_statistics(
        work.pipeline,
        read,
        on_event=lambda event: _tell(work.progress, event),
        should_stop=work.should_stop,
        total=len(data.train_ids),
    )


def _tell(progress: Progress, event: FitEvent) -> None:
    match event.kind:
        case "start":
            progress.send(train_messages.node_started(event.node, event.total))
        case "progress":
            progress.send_if_due(
                train_messages.node_progressed(event.node, event.done, event.total)
            )
        case "end":
            progress.send(train_messages.node_ended(event.node, event.done, event.total))
