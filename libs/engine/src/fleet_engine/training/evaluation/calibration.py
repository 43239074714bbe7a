"""Calibrates the deciders of a pipeline on labelled measurements."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from fleet_engine.data import batches
from fleet_engine.graph.context import Context
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.graph.stage import Stage
from fleet_engine.nodes.deciders.decider import (
    CalibratedDecider,
    Calibration,
    CalibrationImpossible,
)
from fleet_engine.training.job.gradient_job import GradientJob
from fleet_engine.training.training_event import CalibrationReport, Hook, TrainingEvent
from fleet_platform.errors import Cancelled, InvalidInput
from fleet_schemas import PipelineConfig

_SCORES_PORT = "logits"
_TARGETS_PORT = "targets"
_MASK_PORT = "mask"


class _Labelled(NamedTuple):
    """Results of one pass over the split: a tensor for each measurement."""

    scores: Mapping[str, list[Tensor]]
    targets: list[Tensor]


def calibrate(
    pipeline: Pipeline,
    job: GradientJob,
    *,
    on_event: Callable[[TrainingEvent], None],
    should_stop: Callable[[], bool],
) -> CalibrationReport:
    """Calibrate every decider on the validation split; the new thresholds are stored as hparams.

    One pass reads the split, one measurement at a time, and keeps the scores of each pixel at each
    decider and its label. Obstacles to calibration are reported and leave the deciders unchanged.

    Args:
        pipeline: pipeline with fitted nodes, on the device of the computation.
        job: the job, of which only the data is used.
        on_event: receives start, progress and end.
        should_stop: called before each measurement; True cancels.

    Raises:
        NotFitted: a node has no statistics yet.
        Cancelled: `should_stop` returned True; no decider was changed.
    """
    total = len(job.data.val_ids)
    on_event(TrainingEvent(Hook.CALIBRATION_START, Stage.VAL, total=total))
    report = _calibrate(pipeline, job, on_event, should_stop)
    on_event(
        TrainingEvent(
            Hook.CALIBRATION_END, Stage.VAL, done=report.frames, total=total, calibration=report
        )
    )
    return report


def calibrated_config(pipeline: Pipeline, report: CalibrationReport) -> PipelineConfig:
    """Return the pipeline's configuration with the thresholds of `report`."""
    nodes = [
        config.model_copy(update={"hparams": config.hparams | dict(calibration.after)})
        if (calibration := report.calibrated.get(name)) is not None
        else config
        for config, name in zip(pipeline.config.nodes, pipeline.nodes, strict=True)
    ]
    return pipeline.config.model_copy(update={"nodes": nodes})


def _calibrate(
    pipeline: Pipeline,
    job: GradientJob,
    on_event: Callable[[TrainingEvent], None],
    should_stop: Callable[[], bool],
) -> CalibrationReport:
    deciders = {
        name: node for name, node in pipeline.nodes.items() if isinstance(node, CalibratedDecider)
    }
    wired = {
        name: keys[0]
        for name in deciders
        if (keys := pipeline.wiring.sources.get((name, _SCORES_PORT)))
    }
    failed = dict.fromkeys(
        [name for name in deciders if name not in wired],
        f"its input '{_SCORES_PORT}' is not connected",
    )
    if not job.data.val_ids:
        return CalibrationReport("no_split", "data.val_ids is empty", failed=failed)
    masks = _mask_sources(pipeline)
    if len(masks) != 1:
        found = f"several nodes output one: {', '.join(masks)}" if masks else "no node outputs one"
        return CalibrationReport(
            "ambiguous_mask", f"the mask for calibration is ambiguous: {found}", failed=failed
        )
    try:
        labelled = _read(
            pipeline,
            job,
            wired=wired,
            mask=masks[0],
            on_event=on_event,
            should_stop=should_stop,
        )
    except InvalidInput as error:
        return CalibrationReport("inference_failed", error.text, failed=failed)
    frames = len(labelled.targets)
    anomalous = sum(bool(target.any()) for target in labelled.targets)
    if not anomalous or all(bool(target.all()) for target in labelled.targets):
        kind = "no" if not anomalous else "only"
        detail = f"the validation split has {kind} anomalous pixels"
        return CalibrationReport("single_class", detail, frames, anomalous, failed=failed)
    calibrated: dict[str, Calibration] = {}
    for name in wired:
        try:
            calibrated[name] = deciders[name].calibrate(labelled.scores[name], labelled.targets)
        except CalibrationImpossible as error:
            failed[name] = error.text
    return CalibrationReport("", "", frames, anomalous, calibrated, failed)


def _mask_sources(pipeline: Pipeline) -> list[str]:
    """Return the outputs ``node.port`` that are targets of metrics, or else all mask outputs."""
    sources = pipeline.wiring.sources
    targets = {key for (_, port), keys in sources.items() if port == _TARGETS_PORT for key in keys}
    if targets:
        return sorted(targets)
    return [
        f"{name}.{_MASK_PORT}"
        for name, node in pipeline.nodes.items()
        if (spec := node.OUTPUT_SPECS.get(_MASK_PORT)) is not None and spec.dtype == torch.bool
    ]


def _read(
    pipeline: Pipeline,
    job: GradientJob,
    *,
    wired: Mapping[str, str],
    mask: str,
    on_event: Callable[[TrainingEvent], None],
    should_stop: Callable[[], bool],
) -> _Labelled:
    plan = pipeline.compile(Stage.INFERENCE, sorted({*wired.values(), mask}))
    labelled = _Labelled({name: [] for name in wired}, [])
    total = len(job.data.val_ids)
    for index, batch in enumerate(batches(job.measurements, job.data.val_ids, 1)):
        if should_stop():
            raise Cancelled("Stopped while calibrating.")
        outputs = plan.run(batch, Context(Stage.INFERENCE, batch_idx=index))
        if mask not in outputs:
            raise InvalidInput(f"measurement {job.data.val_ids[index]} is not labelled")
        labelled.targets.append(outputs[mask].cpu())
        for name, key in wired.items():
            labelled.scores[name].append(outputs[key].cpu())
        on_event(
            TrainingEvent(
                Hook.CALIBRATION_PROGRESS, Stage.VAL, batch_idx=index, done=index + 1, total=total
            )
        )
    return labelled
