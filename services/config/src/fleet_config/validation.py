"""Looks for what is wrong with a config, without refusing it."""

import json
from dataclasses import dataclass, field

from fleet_platform.errors import AppError, Exhausted, InvalidInput
from fleet_schemas import (
    MAX_CONFIG_SIZE_BYTES,
    OPTIMIZERS,
    SCHEDULERS,
    SchedulerConfig,
    TrainingConfig,
    TrainRunConfig,
    config_type,
    nearest,
    schema_violations,
)

_NO_SCHEDULE = frozenset({"", "none"})
_PLATEAU = frozenset({"plateau", "reduce_on_plateau"})


@dataclass
class Findings:
    """What was found.

    Attributes:
        errors: what makes the config unusable, each beginning with its place.
        warnings: what is accepted but doubtful.
    """

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def validate(kind: str, raw: bytes) -> Findings:
    """Check a config.

    Args:
        kind: name of the schema, as in `fleet_schemas.CONFIG_TYPES`.
        raw: UTF-8 JSON.

    Raises:
        InvalidInput: unknown kind, or not UTF-8; anything else that is wrong is a finding.
        Exhausted: larger than 8 MiB.
    """
    model = config_type(kind)
    if not raw:
        return Findings(errors=["config_bytes cannot be empty"])
    if len(raw) > MAX_CONFIG_SIZE_BYTES:
        raise Exhausted(
            f"config_bytes has {len(raw)} bytes; at most {MAX_CONFIG_SIZE_BYTES} are read."
        )
    try:
        content = json.loads(raw.decode())
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"config_bytes is not UTF-8 at byte {error.start}. Send the config as UTF-8 JSON."
        ) from error
    except (ValueError, RecursionError) as error:
        return Findings(errors=[f"Invalid JSON: {error}"])
    try:
        config, errors = schema_violations(model, content)
    except AppError as error:
        return Findings(errors=[error.text])
    findings = Findings(errors=errors)
    if isinstance(config, TrainingConfig):
        _check_training(config, "", findings)
    elif isinstance(config, TrainRunConfig) and config.training is not None:
        _check_training(config.training, "training.", findings)
    return findings


def _check_training(config: TrainingConfig, place: str, findings: Findings) -> None:
    name = config.optimizer.name.lower()
    if name not in OPTIMIZERS:
        findings.errors.append(_unknown(f"{place}optimizer.name", name, OPTIMIZERS))
    if config.scheduler is not None:
        _check_scheduler(config.scheduler, f"{place}scheduler", findings)


def _check_scheduler(config: SchedulerConfig, place: str, findings: Findings) -> None:
    name = (config.name or "").lower()
    if name in _NO_SCHEDULE:
        return
    if name not in SCHEDULERS:
        findings.errors.append(_unknown(f"{place}.name", name, SCHEDULERS))
    elif name in _PLATEAU and not config.monitor:
        findings.warnings.append(f"{place}.monitor: not given; {name} then follows 'val_loss'")


def _unknown(place: str, name: str, known: tuple[str, ...]) -> str:
    return f"{place}: '{name}' is unknown.{nearest(name, list(known))} Known: {', '.join(known)}"
