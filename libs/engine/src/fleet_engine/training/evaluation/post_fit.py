"""Calibration of deciders and evaluation of splits after a training."""

from collections.abc import Callable

from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.graph.stage import Stage
from fleet_engine.training.evaluation.calibration import calibrate, calibrated_config
from fleet_engine.training.evaluation.split_evaluation import evaluate
from fleet_engine.training.job.gradient_job import GradientJob
from fleet_engine.training.training_event import Hook, TrainingEvent
from fleet_platform.telemetry import tracer
from fleet_platform.telemetry.catalogue import spans
from fleet_schemas import PipelineConfig

_TRACER = tracer(spans.POST_FIT.scope)


def calibrate_and_evaluate(
    pipeline: Pipeline,
    job: GradientJob,
    *,
    with_calibration: bool,
    on_event: Callable[[TrainingEvent], None],
    should_stop: Callable[[], bool],
) -> PipelineConfig:
    """Calibrate if requested, then evaluate the validation split (if calibrated) and test split.

    Returns:
        The pipeline's configuration, with new thresholds where deciders were calibrated.

    Raises:
        NotFitted: a node has no statistics yet.
        Cancelled: `should_stop` returned True; calibrated thresholds are kept.
    """
    config = pipeline.config
    with _TRACER.start_as_current_span(spans.POST_FIT.name):
        if with_calibration:
            report = calibrate(pipeline, job, on_event=on_event, should_stop=should_stop)
            config = calibrated_config(pipeline, report)
            evaluate(pipeline, job, Stage.VAL, on_event=on_event, should_stop=should_stop)
        evaluate(pipeline, job, Stage.TEST, on_event=on_event, should_stop=should_stop)
    on_event(TrainingEvent(Hook.POST_FIT_END))
    return config
