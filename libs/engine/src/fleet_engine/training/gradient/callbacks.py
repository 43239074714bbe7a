"""Creates Lightning callbacks from the published settings."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    LearningRateMonitor,
    ModelCheckpoint,
)

from fleet_engine.training.gradient.checkpoint_name import check_filename
from fleet_platform.errors import InvalidInput
from fleet_schemas import CallbacksConfig, EarlyStoppingConfig, ModelCheckpointConfig

_MODES = ("min", "max")


def watched_values(config: CallbacksConfig | None) -> dict[str, str]:
    """Return the names of the values that callbacks monitor, each with its setting."""
    if config is None:
        return {}
    watched = {
        stopping.monitor: f"training.callbacks.early_stopping.{index}.monitor"
        for index, stopping in enumerate(config.early_stopping)
        if stopping.strict
    }
    if config.checkpoint is not None:
        watched[config.checkpoint.monitor] = "training.callbacks.checkpoint.monitor"
    return watched


def make_callbacks(config: CallbacksConfig | None, folder: Callable[[str], Path]) -> list[Callback]:
    """Create the callbacks of `config`.

    Args:
        config: the settings; None: no callbacks.
        folder: returns the path of a folder that the settings name, or refuses it.

    Raises:
        InvalidInput: settings contradict each other, or a folder is not writable.
    """
    if config is None:
        return []
    callbacks: list[Callback] = []
    seen: set[tuple[str, str]] = set()
    for index, stopping in enumerate(config.early_stopping):
        _check_mode(stopping.mode, f"training.callbacks.early_stopping.{index}.mode")
        if (stopping.monitor, stopping.mode) in seen:
            raise InvalidInput(
                f"training.callbacks.early_stopping.{index} watches '{stopping.monitor}' "
                f"({stopping.mode}) like an earlier one; keep one of them."
            )
        seen.add((stopping.monitor, stopping.mode))
        callbacks.append(_early_stopping(stopping))
    if config.learning_rate_monitor is not None:
        callbacks.append(
            LearningRateMonitor(
                logging_interval=config.learning_rate_monitor.logging_interval,
                log_momentum=config.learning_rate_monitor.log_momentum,
                log_weight_decay=config.learning_rate_monitor.log_weight_decay,
            )
        )
    if config.checkpoint is not None:
        _check_mode(config.checkpoint.mode, "training.callbacks.checkpoint.mode")
        callbacks.append(_checkpoint(config.checkpoint, folder(config.checkpoint.dirpath)))
    return callbacks


def _early_stopping(config: EarlyStoppingConfig) -> EarlyStopping:
    return EarlyStopping(
        monitor=config.monitor,
        min_delta=config.min_delta,
        patience=config.patience,
        verbose=config.verbose,
        mode=config.mode,
        strict=config.strict,
        check_finite=config.check_finite,
        stopping_threshold=config.stopping_threshold,
        divergence_threshold=config.divergence_threshold,
        check_on_train_epoch_end=config.check_on_train_epoch_end,
        log_rank_zero_only=config.log_rank_zero_only,
    )


def _checkpoint(config: ModelCheckpointConfig, folder: Path) -> ModelCheckpoint:
    by_epoch = _epochs_between(config)
    if config.filename:
        check_filename(config.filename)
    return ModelCheckpoint(
        dirpath=folder,
        filename=config.filename,
        monitor=config.monitor,
        verbose=config.verbose,
        save_last=config.save_last,
        save_top_k=config.save_top_k,
        save_on_exception=config.save_on_exception,
        save_weights_only=config.save_weights_only,
        mode=config.mode,
        auto_insert_metric_name=config.auto_insert_metric_name,
        every_n_train_steps=config.every_n_train_steps,
        train_time_interval=config.train_time_interval,
        every_n_epochs=by_epoch,
        save_on_train_epoch_end=config.save_on_train_epoch_end,
        enable_version_counter=config.enable_version_counter,
    )


def _epochs_between(config: ModelCheckpointConfig) -> int | None:
    """Return `every_n_epochs`; its default does not apply if another interval is set."""
    place = "training.callbacks.checkpoint"
    steps, time = config.every_n_train_steps, config.train_time_interval
    if steps is not None and steps < 1:
        raise InvalidInput(f"{place}.every_n_train_steps is {steps}; it must be at least 1.")
    if time is not None and time <= timedelta():
        raise InvalidInput(
            f"{place}.train_time_interval is {time.total_seconds()} s; it must be longer than 0."
        )
    others = [interval for interval in (steps, time) if interval is not None]
    epochs = config.every_n_epochs
    if others and epochs == type(config).model_fields["every_n_epochs"].default:
        epochs = None
    if len(others) + (epochs is not None) > 1:
        raise InvalidInput(
            f"{place}: every_n_epochs, every_n_train_steps and train_time_interval exclude one "
            "another; set one of them."
        )
    return epochs


def _check_mode(mode: str, place: str) -> None:
    if mode not in _MODES:
        raise InvalidInput(f"{place} is '{mode}'; it must be {' or '.join(_MODES)}.")
