"""Errors of the config service's methods."""

from collections.abc import Sequence

import grpc

from tests.e2e.errors.row import Row, RowTestedElsewhere, TableRow
from tests.e2e.errors.rows.recurring import INSIDE, PASSWD, fields, row, unknown_session
from tests.support.case import EXHAUSTED, INVALID, MISSING

_RUN = "trainrun/rx_statistical"
_LISTED = "Use a path that `ListAvailablePipelines` returns."
_TYPES = "Use one of the types listed in the text."
_GRAMMAR = "Use Hydra's grammar: `key=value`, `+key=value` or `~key`."
_PLAIN = "Write the value itself; only keys of the same config can be referenced."


def _resolve(
    name: str,
    code: grpc.StatusCode,
    text: str,
    remedy: str,
    *,
    config_type: str = "trainrun",
    path: str = _RUN,
    overrides: Sequence[str] = (),
) -> Row:
    return row(
        "ResolveConfig",
        name,
        code,
        text,
        remedy,
        fields(config_type=config_type, path=path, overrides=overrides),
    )


def _override(name: str, text: str, remedy: str, *overrides: str) -> Row:
    return _resolve(name, INVALID, text, remedy, overrides=overrides)


def _info(name: str, code: grpc.StatusCode, text: str, remedy: str, path: str) -> Row:
    return row(
        "GetPipelineInfo", name, code, text, remedy, fields(pipeline_path=path), in_session=False
    )


def _validate(
    name: str,
    code: grpc.StatusCode,
    text: str,
    remedy: str,
    *,
    config_type: str = "pipeline",
    config_bytes: bytes = b"{}",
) -> Row:
    given = fields(config_type=config_type, config_bytes=config_bytes)
    return row("ValidateConfig", name, code, text, remedy, given, in_session=False)


NOTES = {
    "ValidateConfig": "Errors in the config itself are not failures of the call; the reply lists "
    "them in `errors`.",
}

ROWS: list[TableRow] = [
    unknown_session("ResolveConfig"),
    _resolve(
        "unknown config_type",
        INVALID,
        "config_type 'recipe' is unknown. Known: trainrun, pipeline, data, training, "
        "optimizer, scheduler, callbacks.",
        _TYPES,
        config_type="recipe",
    ),
    _resolve(
        "an empty path",
        INVALID,
        "path is empty. Name a config, as in 'trainrun/rx_statistical'.",
        "Send the name of a config.",
        path="",
    ),
    _resolve(
        "no such config",
        MISSING,
        "trainrun config 'trainrun/rx_statistics' not found in the session's search paths or in "
        "the server's configs. Closest matches: "
        "trainrun/rx_statistical, pipeline/rx_statistical, "
        "pipeline/anomaly/rx/rx_statistical.",
        "Check the name and the session's search paths.",
        path="trainrun/rx_statistics",
    ),
    _resolve(
        "a path with `..`",
        INVALID,
        "path '../trainrun/rx_statistical' must not contain '..'.",
        INSIDE,
        path="../trainrun/rx_statistical",
    ),
    _resolve(
        "a path outside the readable folders",
        INVALID,
        "Path '/etc/passwd' is outside the folders that this server may read.",
        INSIDE,
        path=PASSWD,
    ),
    _resolve(
        "the name of several configs",
        INVALID,
        "'channel_selector' names several configs: 'pipeline/anomaly/rx/channel_selector', "
        "'pipeline/channel_selector', 'trainrun/channel_selector'. Give one of these paths.",
        "Use the full path.",
        config_type="data",
        path="channel_selector",
    ),
    _override(
        "an override outside the grammar",
        "override 'data.batch_size' is not in Hydra's grammar. Write key=value, +key=value "
        "to add a key, or ~key to delete one; quote values that contain special characters.",
        _GRAMMAR,
        "data.batch_size",
    ),
    _override(
        "an override of an unknown key",
        "override 'data.batch_sizes=4': there is no 'data.batch_sizes'. Did you mean "
        "'data.batch_size'? Top-level keys: name, pipeline, data, training, loss_nodes, "
        "metric_nodes, freeze_nodes, unfreeze_nodes, output_dir, tags.",
        "Write `+key=value` to add a key.",
        "data.batch_sizes=4",
    ),
    _override(
        "an override of the wrong type",
        "trainrun.data.batch_size: must be a valid integer, got 'many'. "
        "Set by override 'data.batch_size=many'.",
        "Use a value of the type named in the text.",
        "data.batch_size=many",
    ),
    _override(
        "an override out of bounds",
        "trainrun.training.optimizer.lr: must be greater than 0, got -1. Set by override "
        "'training.optimizer.lr=-1'.",
        "Use a value within the bounds.",
        "training.optimizer.lr=-1",
    ),
    _override(
        "an override with an unknown group option",
        "In 'trainrun/rx_statistical': Could not find 'data/nothing' Available options in "
        "'data': lentils. Requested by override 'data=nothing'.",
        "Use one of the options listed in the text.",
        "data=nothing",
    ),
    _override(
        "several values for one key",
        "override 'training.seed=1,2,3' asks for several values at once. Write a list as "
        "key=[a,b], or quote it.",
        "Call once for each value.",
        "training.seed=1,2,3",
    ),
    _override(
        "an interpolation that calls a resolver",
        "override 'name=${oc.env:HOME}': '${oc.env:HOME}' is refused. Only references to "
        "other keys of the same config are followed, as in '${data.batch_size}'.",
        _PLAIN,
        "name=${oc.env:HOME}",
    ),
    _override(
        "a reference to a missing key",
        "name: '${missing}' refers to a missing key.",
        "Reference a key of the config.",
        "name=${missing}",
    ),
    _override(
        "an override of Hydra's own settings",
        "override 'hydra.run.dir=out' is refused: Hydra's own settings belong to the server.",
        "Remove the override.",
        "hydra.run.dir=out",
    ),
    _override(
        "a key that would run code",
        "override '+_target_=os.system': the key '_target_' is refused. Configs contain values "
        "only; nothing is instantiated from them.",
        "Remove the override.",
        "+_target_=os.system",
    ),
    _override(
        "overrides too long",
        "the overrides have 36000 characters; the limit is 32768.",
        "Edit the config file instead.",
        "name=x" * 6000,
    ),
    RowTestedElsewhere(
        name="too many configs are being resolved",
        method="ResolveConfig",
        code="RESOURCE_EXHAUSTED",
        text="Too many configs are being resolved at once; try again in 1 s.",
        remedy="Wait for the stated time and call again.",
        proof="tests/unit/config/test_turns.py::"
        "test_a_caller_that_would_wait_too_long_gets_a_retry_delay",
    ),
    row(
        "GetParameterSchema",
        "unknown config_type",
        MISSING,
        "config_type 'recipe' is unknown. Known: trainrun, pipeline, data, training, "
        "optimizer, scheduler, callbacks.",
        _TYPES,
        fields(config_type="recipe"),
        in_session=False,
    ),
    _validate(
        "unknown config_type",
        INVALID,
        "config_type 'recipe' is unknown. Known: trainrun, pipeline, data, training, "
        "optimizer, scheduler, callbacks.",
        _TYPES,
        config_type="recipe",
    ),
    _validate(
        "not UTF-8",
        INVALID,
        "config_bytes is not UTF-8 at byte 0. Send the config as UTF-8 JSON.",
        "Send the config as UTF-8 JSON.",
        config_bytes=b"\xff",
    ),
    _validate(
        "config too large",
        EXHAUSTED,
        "config_bytes has 9437184 bytes; the limit is 8388608.",
        "Shorten the config.",
        config_bytes=b" " * (9 * 1024**2),
    ),
    _info(
        "an empty path",
        INVALID,
        "pipeline_path is empty. Name one that ListAvailablePipelines returns, such as "
        "'rx_statistical'.",
        _LISTED,
        "",
    ),
    _info(
        "no such pipeline",
        MISSING,
        "Pipeline 'rx_statistics' not found. Closest matches: rx_statistical.yaml, "
        "anomaly/rx/rx_statistical.yaml.",
        _LISTED,
        "rx_statistics",
    ),
    _info(
        "a path with `..`",
        INVALID,
        "pipeline_path '../data/lentils' must be relative to the server's pipeline folder, "
        "without '..' and '\\'.",
        _LISTED,
        "../data/lentils",
    ),
    _info(
        "an absolute path",
        INVALID,
        "pipeline_path '/etc/passwd' must be relative to the server's pipeline folder, "
        "without '..' and '\\'.",
        _LISTED,
        PASSWD,
    ),
    _info(
        "the name of several pipelines",
        INVALID,
        "'lab' names several pipelines: site_a/lab.yaml, site_b/lab.yaml. Give one of these paths.",
        "Use the full path.",
        "lab",
    ),
]
