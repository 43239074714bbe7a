"""Callback settings for gradient training."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from fleet_schemas.config_model import ConfigModel


class EarlyStoppingConfig(ConfigModel):
    """Settings for early stopping, which ends training when a value stops improving."""

    monitor: str = Field(description="The monitored value.")
    patience: int = Field(10, ge=1, description="Checks without progress before training ends.")
    mode: str = Field("min", description="Whether the value should be min or max.")
    min_delta: float = Field(0.0, ge=0.0, description="Minimum change that counts as progress.")
    stopping_threshold: float | None = Field(None, description="Stop when this value is reached.")
    verbose: bool = Field(True, description="Whether state changes are logged.")
    strict: bool = Field(True, description="Whether a missing value is an error.")
    check_finite: bool = Field(True, description="End when the value is not finite.")
    divergence_threshold: float | None = Field(
        None, description="Stop when the value gets worse than this."
    )
    check_on_train_epoch_end: bool | None = Field(
        None, description="Check after the training epoch; null: after validation if there is one."
    )
    log_rank_zero_only: bool = Field(False, description="Only the first process logs.")


class ModelCheckpointConfig(ConfigModel):
    """Settings for checkpoints, which keep the best states of a training run."""

    dirpath: str = Field("checkpoints", description="Folder of the checkpoints.")
    filename: str | None = Field(None, description="Pattern of the file names; null: by epoch.")
    monitor: str = Field("val_loss", description="Value by which the best states are chosen.")
    mode: str = Field("min", description="Whether the value should be min or max.")
    save_top_k: int = Field(3, ge=-1, description="Number of best states that are kept; -1: all.")
    every_n_epochs: int | None = Field(
        1,
        ge=1,
        description="Epochs between two checkpoints; null: determined by the other intervals.",
    )
    save_last: bool | Literal["link"] | None = Field(
        False, description="Also keep the last state; link: as a symbolic link."
    )
    auto_insert_metric_name: bool = Field(
        True, description="Include the name of the value in file names."
    )
    verbose: bool = Field(False, description="Whether each save is logged.")
    save_on_exception: bool = Field(False, description="Also save when training fails.")
    save_weights_only: bool = Field(False, description="Omit the optimizer state.")
    every_n_train_steps: int | None = Field(None, description="Steps between two checkpoints.")
    train_time_interval: timedelta | None = Field(None, description="Time between two checkpoints.")
    save_on_train_epoch_end: bool | None = Field(
        None, description="Save after the training epoch; null: after validation if there is one."
    )
    enable_version_counter: bool = Field(True, description="Number files instead of overwriting.")


class LearningRateMonitorConfig(ConfigModel):
    """Settings for the learning rate monitor."""

    logging_interval: Literal["step", "epoch"] | None = Field(
        "epoch", description="When the rate is logged; null: whenever it changes."
    )
    log_momentum: bool = Field(False, description="Also log the momentum.")
    log_weight_decay: bool = Field(False, description="Also log the weight decay.")


class CallbacksConfig(ConfigModel):
    """The callbacks for one training run."""

    checkpoint: ModelCheckpointConfig | None = Field(None, description="Null: no checkpoints.")
    early_stopping: list[EarlyStoppingConfig] = Field(
        default_factory=list, description="Each may end the training run."
    )
    learning_rate_monitor: LearningRateMonitorConfig | None = Field(
        None, description="Null: the rate is not logged."
    )
