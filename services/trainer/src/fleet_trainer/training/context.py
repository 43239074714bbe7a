"""What each kind of training works with, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from fleet_engine import Pipeline
from fleet_platform.files import PathPolicy
from fleet_platform.runs import Checkpoint
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2 import TrainResponse
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_schemas import DataConfig, PipelineConfig
from fleet_trainer.worker.progress import Progress
from fleet_trainer.worker.ranks import Ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingWork:
    """One run, opened.

    Attributes:
        run: its record.
        pipeline: on the device, with the weights to begin with; trained in place.
        data: which measurements.
        policy: what may be read and written.
        progress: is told of each step.
        should_stop: asked between steps.
        resumed: where the run was before it was interrupted; None: at its beginning.
        keep_fitted: stores that the pipeline, as it is now, is what the epochs begin with.
        keep_epoch: stores the engine's state after so many epochs.
        read_ahead: measurements that may be read before they are asked for.
        ranks: the processes that train it with this one, where its settings ask for some.
    """

    run: RunRecord
    pipeline: Pipeline
    data: DataConfig
    policy: PathPolicy
    progress: Progress
    should_stop: Callable[[], bool]
    resumed: Checkpoint | None
    keep_fitted: Callable[[], None]
    keep_epoch: Callable[[int, bytes], None]
    read_ahead: int
    ranks: Ranks


class Trained(NamedTuple):
    """A training that ended well.

    Attributes:
        config: the pipeline's configuration; another than before only after a calibration.
        message: the last message of the stream.
    """

    config: PipelineConfig
    message: TrainResponse
