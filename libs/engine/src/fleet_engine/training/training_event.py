"""How far a gradient training, a calibration or an evaluation has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet_engine.graph.stage import Stage
from fleet_engine.nodes.deciders.decider import Calibration


class Hook(StrEnum):
    """What has just happened; each is the TRAIN_HOOK of that name on the wire."""

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
    """Whether the best weights of a training were put back at its end.

    Attributes:
        restored: they were; else the final epoch's weights stay.
        epoch: the epoch that they are of, from 0.
        monitor: the value that says which are best; empty: none is watched.
        score: that value.
        reason: why nothing was restored; empty where it was.
    """

    restored: bool
    epoch: int = 0
    monitor: str = ""
    score: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """What a calibration did.

    Attributes:
        skipped: why nothing was calibrated at all: no_split, inference_failed, ambiguous_mask,
            single_class; empty: deciders were looked at.
        detail: the same in words.
        frames: measurements that were read.
        anomalous_frames: those of them that hold an anomaly.
        calibrated: the deciders that were calibrated, by name.
        failed: why others were not, by name.
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
        hook: what happened.
        stage: which split is worked on: TRAIN, VAL or TEST.
        epoch: epoch, from 0.
        batch_idx: batch within the epoch, from 0.
        global_step: optimiser steps so far.
        done: measurements of this stage worked on so far.
        total: measurements of the whole stage.
        epochs: epochs at most; 0 outside of epochs.
        losses: by name; `total` is what is minimised.
        metrics: by name.
        checkpoint: with CHECKPOINT_RESTORED.
        calibration: with CALIBRATION_END.
        error: with EVALUATION_END, why the split could not be evaluated; empty: it was.
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
