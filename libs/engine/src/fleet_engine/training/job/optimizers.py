"""Optimizers and learning rate schedules by their published names."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from torch.nn import Parameter
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    LRScheduler,
    ReduceLROnPlateau,
    StepLR,
)

from fleet_platform.errors import InvalidInput
from fleet_schemas import OptimizerConfig, SchedulerConfig, nearest

DEFAULT_MONITOR = "val_loss"
"""Value that a plateau schedule monitors by default."""

_BETAS = (0.9, 0.999)


def _adam(config: OptimizerConfig, parameters: list[Parameter]) -> Optimizer:
    return Adam(
        parameters, lr=config.lr, weight_decay=config.weight_decay, betas=config.betas or _BETAS
    )


def _adamw(config: OptimizerConfig, parameters: list[Parameter]) -> Optimizer:
    return AdamW(
        parameters, lr=config.lr, weight_decay=config.weight_decay, betas=config.betas or _BETAS
    )


def _sgd(config: OptimizerConfig, parameters: list[Parameter]) -> Optimizer:
    return SGD(
        parameters,
        lr=config.lr,
        weight_decay=config.weight_decay,
        momentum=config.momentum or 0.0,
    )


def _plateau(config: SchedulerConfig, optimizer: Optimizer, _max_epochs: int) -> ReduceLROnPlateau:
    return ReduceLROnPlateau(
        optimizer,
        mode=config.mode,  # type: ignore[arg-type]  # torch itself refuses other values
        factor=config.factor,
        patience=config.patience,
        threshold=config.threshold,
        threshold_mode=config.threshold_mode,  # type: ignore[arg-type]  # likewise
        cooldown=config.cooldown,
        min_lr=config.min_lr,
        eps=config.eps,
    )


def _cosine(config: SchedulerConfig, optimizer: Optimizer, max_epochs: int) -> LRScheduler:
    return CosineAnnealingLR(optimizer, T_max=config.t_max or max_epochs, eta_min=config.min_lr)


def _step(config: SchedulerConfig, optimizer: Optimizer, _max_epochs: int) -> LRScheduler:
    return StepLR(
        optimizer,
        step_size=config.step_size or 1,
        gamma=0.1 if config.gamma is None else config.gamma,
    )


def _exponential(config: SchedulerConfig, optimizer: Optimizer, _max_epochs: int) -> LRScheduler:
    return ExponentialLR(optimizer, gamma=0.99 if config.gamma is None else config.gamma)


_OPTIMIZERS: Mapping[str, Callable[[OptimizerConfig, list[Parameter]], Optimizer]] = (
    MappingProxyType({"adam": _adam, "adamw": _adamw, "sgd": _sgd})
)
_SCHEDULERS: Mapping[
    str, Callable[[SchedulerConfig, Optimizer, int], LRScheduler | ReduceLROnPlateau]
] = MappingProxyType(
    {
        "reduce_on_plateau": _plateau,
        "cosine": _cosine,
        "step": _step,
        "exponential": _exponential,
        "plateau": _plateau,
    }
)
_NO_SCHEDULER = frozenset({"", "none"})


def check_optimizer(config: OptimizerConfig) -> None:
    """Refuse an unknown optimizer or invalid settings.

    Raises:
        InvalidInput: it is unknown, or a setting is out of range; the text names valid values.
    """
    _known(config.name, _OPTIMIZERS, "training.optimizer.name")
    if not all(0 <= beta < 1 for beta in config.betas or _BETAS):
        raise InvalidInput(
            f"training.optimizer.betas is {list(config.betas or ())}; each must be at least 0 and "
            "less than 1."
        )


def check_scheduler(config: SchedulerConfig | None) -> None:
    """Refuse an unknown schedule or invalid settings.

    Raises:
        InvalidInput: it is unknown, or a setting is invalid; the text names valid values.
    """
    if config is None:
        return
    if not _is_none(config.name):
        _known(config.name or "", _SCHEDULERS, "training.scheduler.name")
    for key, allowed in (("mode", ("min", "max")), ("threshold_mode", ("rel", "abs"))):
        value = getattr(config, key)
        if value not in allowed:
            raise InvalidInput(
                f"training.scheduler.{key} is '{value}'; it must be {' or '.join(allowed)}."
            )
    if watched_value(config) is not None and not config.factor < 1:
        raise InvalidInput(
            f"training.scheduler.factor is {config.factor}; it must be less than 1, so that the "
            "rate decreases."
        )


def watched_value(config: SchedulerConfig | None) -> str | None:
    """Return the name of the value that the schedule monitors, or None."""
    if config is None or (config.name or "").lower() not in {"plateau", "reduce_on_plateau"}:
        return None
    return config.monitor or DEFAULT_MONITOR


def make_optimizer(config: OptimizerConfig, parameters: Iterable[Parameter]) -> Optimizer:
    """Create the optimizer of `config`; sgd uses the momentum, the others the betas."""
    make = _OPTIMIZERS[_known(config.name, _OPTIMIZERS, "training.optimizer.name")]
    return make(config, list(parameters))


def make_schedulers(
    config: SchedulerConfig | None,
    optimizer: Optimizer,
    *,
    max_epochs: int,
    validation_epochs: int,
) -> list[dict[str, Any]]:
    """Return the schedules of `config` in the form that Lightning expects; they step per epoch.

    With `warmup_epochs` the rate first rises linearly to its full value within that many epochs.

    Args:
        config: the settings; None: the rate is constant.
        optimizer: the optimizer whose rate is changed.
        max_epochs: maximum number of epochs; also the default half period of a cosine.
        validation_epochs: epochs between two validations; a schedule that monitors a value steps
            when there is a new value.
    """
    if config is None:
        return []
    schedulers: list[dict[str, Any]] = []
    if config.warmup_epochs:
        warm_up = LinearLR(
            optimizer, start_factor=1 / (config.warmup_epochs + 1), total_iters=config.warmup_epochs
        )
        schedulers.append({"scheduler": warm_up, "interval": "epoch"})
    if not _is_none(config.name):
        name = _known(config.name or "", _SCHEDULERS, "training.scheduler.name")
        entry: dict[str, Any] = {
            "scheduler": _SCHEDULERS[name](config, optimizer, max_epochs),
            "interval": "epoch",
        }
        watched = watched_value(config)
        if watched is not None:
            entry |= {"monitor": watched, "frequency": validation_epochs}
        schedulers.append(entry)
    return schedulers


def _is_none(name: str | None) -> bool:
    return name is None or name.lower() in _NO_SCHEDULER


def _known(name: str, known: Mapping[str, Any], place: str) -> str:
    lower = name.lower()
    if lower not in known:
        raise InvalidInput(
            f"{place} '{name}' is unknown.{nearest(lower, list(known))} Known: {', '.join(known)}."
        )
    return lower
