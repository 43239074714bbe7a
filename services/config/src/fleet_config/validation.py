"""Validates a config and reports all errors at once."""

import json
from collections.abc import Collection

from fleet_config.findings import Findings
from fleet_config.graph_findings import check_graph, check_supply
from fleet_config.node_list_findings import check_node_lists
from fleet_platform.errors import AppError, Exhausted, InvalidInput
from fleet_schemas import (
    MAX_CONFIG_SIZE_BYTES,
    OPTIMIZERS,
    SCHEDULERS,
    PipelineConfig,
    SchedulerConfig,
    TrainingConfig,
    TrainRunConfig,
    config_type,
    nearest,
    schema_violations,
)
from fleet_schemas.graph import node_names

_NO_SCHEDULE = frozenset({"", "none"})
_PLATEAU = frozenset({"plateau", "reduce_on_plateau"})


def validate(kind: str, raw: bytes, node_packages: Collection[str] = ()) -> Findings:
    """Check a config.

    Args:
        kind: name of the schema, as in `fleet_schemas.CONFIG_TYPES`.
        raw: UTF-8 JSON.
        node_packages: packages whose node classes pipelines may use in addition to the built-in
            ones.

    Raises:
        InvalidInput: unknown kind, or not UTF-8; all other errors are findings.
        Exhausted: larger than 8 MiB.
    """
    model = config_type(kind)
    if not raw:
        return Findings(errors=["config_bytes cannot be empty"])
    if len(raw) > MAX_CONFIG_SIZE_BYTES:
        raise Exhausted(f"config_bytes has {len(raw)} bytes; the limit is {MAX_CONFIG_SIZE_BYTES}.")
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
    elif isinstance(config, PipelineConfig):
        check_graph(config, "", node_packages, findings)
    elif isinstance(config, TrainRunConfig):
        _check_trainrun(config, node_packages, findings)
    return findings


def _check_trainrun(
    config: TrainRunConfig, node_packages: Collection[str], findings: Findings
) -> None:
    if config.training is not None:
        _check_training(config.training, "training.", findings)
    if isinstance(config.pipeline, PipelineConfig):
        check_graph(config.pipeline, "pipeline.", node_packages, findings)
        check_supply(config.pipeline, "pipeline.", findings)
        check_node_lists(config, node_names(config.pipeline.nodes), findings)


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
        findings.warnings.append(f"{place}.monitor: not given; {name} then monitors 'val_loss'")


def _unknown(place: str, name: str, known: tuple[str, ...]) -> str:
    return f"{place}: '{name}' is unknown.{nearest(name, list(known))} Known: {', '.join(known)}"
