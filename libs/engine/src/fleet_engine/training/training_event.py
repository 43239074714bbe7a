"""Events of gradient training, calibration and evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet_engine.graph.stage import Stage
from fleet_engine.nodes.deciders.decider import Calibration


class Hook(StrEnum):
    """Kind of an event; each is the TRAIN_HOOK of that name on the wire."""

    FIT_START = "fit_start"
    EPOCH_START = "epoch_start"
    TRAIN_PROGRESS = "train_progress"
    VALIDATION_START = "validation_start"
    VALIDATION_PROGRESS = "validation_progress"
    VALIDATION_END = "validation_end"
    EPOCH_END = "epoch_end"
    FIT_END = "fit_end"
    CHECKPOINT_RESTORED = "checkpoint_restored"
    CALIBRATION_START = "calibration_start"
    CALIBRATION_PROGRESS = "calibration_progress"
    CALIBRATION_END = "calibration_end"
    EVALUATION_START = "evaluation_start"
    EVALUATION_PROGRESS = "evaluation_progress"
    EVALUATION_END = "evaluation_end"
    POST_FIT_END = "post_fit_end"


@dataclass(frozen=True, slots=True)
class BestCheckpoint:
    """Whether the best weights of a training were restored at its end.

    Attributes:
        restored: whether they were restored; otherwise the weights of the final epoch are kept.
        epoch: epoch of the weights, from 0.
        monitor: value by which the best weights are chosen; empty: none.
        score: that value.
        reason: why nothing was restored; empty if weights were restored.
    """

    restored: bool
    epoch: int = 0
    monitor: str = ""
    score: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """Result of a calibration.

    Attributes:
        skipped: why nothing was calibrated at all: no_split, inference_failed, ambiguous_mask,
            single_class; empty: deciders were processed.
        detail: the same in words.
        frames: number of measurements read.
        anomalous_frames: number of measurements with an anomaly.
        calibrated: calibrations of the deciders, by name.
        failed: reasons why other deciders were not calibrated, by name.
    """

    skipped: str = ""
    detail: str = ""
    frames: int = 0
    anomalous_frames: int = 0
    calibrated: Mapping[str, Calibration] = field(default_factory=dict)
    failed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingEvent:
    """One step of a training.

    Attributes:
        hook: kind of the event.
        stage: current split: TRAIN, VAL or TEST.
        epoch: epoch, from 0.
        batch_idx: batch within the epoch, from 0.
        global_step: optimiser steps so far.
        done: measurements of this stage processed so far.
        total: measurements of the whole stage.
        epochs: maximum number of epochs; 0 outside of epochs.
        losses: losses by name; `total` is minimised.
        metrics: metrics by name.
        checkpoint: set for CHECKPOINT_RESTORED.
        calibration: set for CALIBRATION_END.
        error: for EVALUATION_END, why the split could not be evaluated; empty: it was evaluated.
    """

    hook: Hook
    stage: Stage = Stage.TRAIN
    epoch: int = 0
    batch_idx: int = 0
    global_step: int = 0
    done: int = 0
    total: int = 0
    epochs: int = 0
    losses: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    checkpoint: BestCheckpoint | None = None
    calibration: CalibrationReport | None = None
    error: str = ""
