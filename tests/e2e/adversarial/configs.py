"""Configs that grow when they are read, never end, or are no configs."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.support.case import EXHAUSTED, INVALID, MISSING, Case, Fields

_RX = "cuvis_ai.anomaly.rx_detector.RXGlobal"
_LOGIT = "cuvis_ai.node.conversion.ScoreToLogit"
_PROJECTION = "cuvis_ai.anomaly.deep_svdd.DeepSVDDProjection"


def _laughs(levels: int = 9) -> str:
    lines = ["a0: &a0 [lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels + 1)]
    return "\n".join([*lines, f"nodes: *a{levels}"])


def _pipeline(raw: bytes) -> Fields:
    return {"pipeline": pb2.PipelineConfig(config_bytes=raw)}


def _graph(*nodes: dict[str, Any], connections: object = ()) -> Fields:
    content = {"metadata": {"name": "x"}, "nodes": nodes, "connections": connections}
    return _pipeline(json.dumps(content).encode())


def _node(name: str, class_name: str = _RX, **hparams: object) -> dict[str, Any]:
    return {"name": name, "class_name": class_name, "hparams": hparams}


def _loads(name: str, text: str, fields: Callable[[], Fields], code=INVALID) -> Case:
    return Case(name, "LoadPipeline", fields, code, text)


def _draws(name: str, text: str, content: Callable[[], str], code=INVALID) -> Case:
    def fields() -> Fields:
        return {"config_content": content(), "format": "mermaid"}

    return Case(name, "GetPipelineVisualization", fields, code, text, in_session=False)


def _applies(name: str, text: str, raw: Callable[[], bytes], code=INVALID) -> Case:
    def fields() -> Fields:
        return {"config": pb2.TrainRunConfig(config_bytes=raw())}

    return Case(name, "SetTrainRunConfig", fields, code, text)


def _many(count: int) -> Fields:
    return _graph(*({"name": f"n{i}", "class_name": _LOGIT} for i in range(count)))


def _tangled(count: int) -> Fields:
    edge = {"source": "a.outputs.scores", "target": "a.inputs.data"}
    return _graph(_node("a", num_channels=3), connections=[edge] * count)


CASES = [
    _draws(
        "billion laughs",
        "config_content is not YAML: it contains itself or more than 100000 "
        "values at line 6, column 5.",
        _laughs,
    ),
    _draws(
        "an alias of itself",
        "config_content is not YAML: it contains itself or more than 100000 "
        "values at line 1, column 8.",
        lambda: "nodes: &a [*a]",
    ),
    _draws(
        "a python object",
        "config_content is not YAML: could not determine a constructor for the "
        "tag 'tag:yaml.org,2002:python/object/apply:os.system' at line 1, "
        "column 8.",
        lambda: "nodes: !!python/object/apply:os.system [id]",
    ),
    _draws(
        "100 000 brackets",
        "config_content is not YAML: it is nested deeper than 64 levels at line 1, column 65.",
        lambda: "[" * 100_000,
    ),
    _draws(
        "merge keys without end",
        "config_content is not YAML: it contains itself or more than 100000 "
        "values at line 1, column 4.",
        lambda: "a: &a {<<: *a}\nnodes: []",
    ),
    _draws(
        "a key twice",
        "config_content is not YAML: the key 'nodes' is a duplicate at line 2, column 1.",
        lambda: "nodes: []\nnodes: []",
    ),
    _draws(
        "a number of a million digits",
        f"config_content is not YAML: '{'9' * 80}...' is not a valid int at line 1, column 8.",
        lambda: "nodes: " + "9" * 1_000_000,
    ),
    _draws(
        "two MiB",
        "config_content: the config has 2097152 bytes; the limit is 1048576.",
        lambda: "a" * (2 * 1024**2),
        EXHAUSTED,
    ),
    _draws("NUL", "config_content is not YAML.", lambda: "nodes: \0"),
    _loads(
        "YAML with laughs",
        "pipeline: not JSON: Expecting value at line 1, column 1.",
        lambda: _pipeline(_laughs().encode()),
    ),
    _loads(
        "not UTF-8",
        "pipeline: not UTF-8 at byte 11. Send the config as UTF-8 JSON.",
        lambda: _pipeline(b'{"nodes": "\xff\xfe"}'),
    ),
    _loads(
        "half a surrogate",
        "pipeline.metadata.name: the text contains an unpaired surrogate.",
        lambda: _pipeline(b'{"metadata": {"name": "\\ud800"}}'),
    ),
    _loads(
        "NaN",
        "pipeline: not JSON: NaN is not a finite number.",
        lambda: _pipeline(b'{"nodes": NaN}'),
    ),
    _loads(
        "Infinity",
        "pipeline: not JSON: -Infinity is not a finite number.",
        lambda: _pipeline(b'{"nodes": [-Infinity]}'),
    ),
    _loads(
        "infinity in disguise",
        "pipeline.version: inf is not a finite number.",
        lambda: _pipeline(b'{"version": 1e999}'),
    ),
    _loads(
        "100 000 brackets",
        "pipeline: nested deeper than 64 levels.",
        lambda: _pipeline(b"[" * 100_000),
    ),
    _loads(
        "100 levels",
        "pipeline: nested deeper than 64 levels.",
        lambda: _graph(_node("a", deep=_deep(100))),
    ),
    _loads(
        "a number of 5000 digits",
        "pipeline: not JSON: a number has 5000 digits; the limit is 300.",
        lambda: _pipeline(b'{"nodes": ' + b"9" * 5000 + b"}"),
    ),
    _loads(
        "nodes twice",
        "pipeline.nodes is empty; a pipeline needs at least one node.",
        lambda: _pipeline(b'{"nodes": [], "nodes": []}'),
    ),
    _loads(
        "nine MiB",
        "pipeline: the config has 9437184 bytes; the limit is 8388608.",
        lambda: _pipeline(b" " * (9 * 1024**2)),
        EXHAUSTED,
    ),
    _loads(
        "100 000 nodes",
        "pipeline.nodes: must have at most 1000 items after validation, not 100000, got a list.",
        partial(_many, 100_000),
    ),
    _loads(
        "100 000 connections",
        "pipeline.connections: must have at most 10000 items after validation, "
        "not 100000, got a list.",
        partial(_tangled, 100_000),
    ),
    _loads("a name of 100 000", f"Node '{'n' * 34} ...", lambda: _graph(_node("n" * 100_000, "x"))),
    _loads(
        "a class of the system",
        "Node 'a': Node class 'os.system' is unknown; nearest known: "
        "cuvis_ai.node.losses.DistinctnessLoss, "
        "cuvis_ai.node.metrics.AnomalyPixelStatisticsMetric. A class of "
        "another package can be used once the operator names that package in "
        "NODE_PACKAGES.",
        lambda: _graph(_node("a", "os.system")),
    ),
    _loads(
        "a class of torch",
        "Node 'a': Node class 'torch.nn.Linear' is unknown; nearest known: "
        "cuvis_ai.node.normalization.MinMaxNormalizer, "
        "cuvis_ai.node.metrics.ExplainedVarianceMetric. A class of another "
        "package can be used once the operator names that package in "
        "NODE_PACKAGES.",
        lambda: _graph(_node("a", "torch.nn.Linear")),
    ),
    _loads(
        "a class by dunder",
        "Node 'a': Node class 'builtins.__import__' is unknown; nearest known: "
        "cuvis_ai.node.metrics.ComponentOrthogonalityMetric, "
        "cuvis_ai.anomaly.rx_detector.RXPerBatch. A class of another package "
        "can be used once the operator names that package in NODE_PACKAGES.",
        lambda: _graph(_node("a", "builtins.__import__")),
    ),
    _loads(
        "2^31 channels",
        "Node 'a' (RXGlobal): the hparam 'num_channels' is 2147483648: Input "
        "should be less than or equal to 16384",
        lambda: _graph(_node("a", num_channels=2**31)),
    ),
    _loads(
        "minus one channel",
        "Node 'a' (RXGlobal): the hparam 'num_channels' is -1: Input should be greater than 0",
        lambda: _graph(_node("a", num_channels=-1)),
    ),
    _loads(
        "10^400 channels",
        "pipeline: not JSON: a number has 401 digits; the limit is 300.",
        lambda: _graph(_node("a", num_channels=10**400)),
    ),
    _loads(
        "stages that are a number",
        "Node 'a' (ScoreToLogit): hparam 'execution_stages' is 0.001; it must be a list of: train, "
        "val, test, inference, always",
        lambda: _graph(_node("a", _LOGIT, execution_stages=0.001)),
    ),
    _loads(
        "a representation of 10^9",
        "Node 'a' (DeepSVDDProjection): the hparam 'rep_dim' is 1000000000: "
        "Input should be less than or equal to 65536",
        lambda: _graph(_node("a", _PROJECTION, in_channels=4, rep_dim=10**9)),
    ),
    _loads(
        "a matrix of 16 GiB",
        "The pipeline's nodes need 17181179904 bytes or more; at most "
        "4294967296 are available for one pipeline. Use fewer or smaller nodes.",
        lambda: _graph(_node("a", _PROJECTION, in_channels=4, hidden=65536, rep_dim=65536)),
        EXHAUSTED,
    ),
    _loads(
        "a hundred of the widest nodes",
        "The pipeline's nodes need 4295163904 bytes or more; at most "
        "4294967296 are available for one pipeline. Use fewer or smaller nodes.",
        lambda: _graph(*(_node(f"n{i}", num_channels=16384) for i in range(100))),
        EXHAUSTED,
    ),
    _applies(
        "no UTF-8", "trainrun: not UTF-8 at byte 0. Send the config as UTF-8 JSON.", lambda: b"\xff"
    ),
    _applies("NaN", "trainrun: not JSON: NaN is not a finite number.", lambda: b'{"name": NaN}'),
    _applies("100 000 brackets", "trainrun: nested deeper than 64 levels.", lambda: b"[" * 100_000),
    _applies(
        "nine MiB",
        "trainrun: the config has 9437184 bytes; the limit is 8388608.",
        lambda: b" " * (9 * 1024**2),
        EXHAUSTED,
    ),
    _applies(
        "a target",
        "trainrun.data: missing; trainrun._target_: unknown key. Allowed "
        "here: data, freeze_nodes, loss_nodes, metric_nodes, name, output_dir, "
        "pipeline, tags, training, unfreeze_nodes.",
        lambda: b'{"name": "x", "_target_": "os.system"}',
    ),
    _applies(
        "a pipeline outside",
        "Path '/etc/passwd' is outside the folders that this server may read.",
        lambda: b'{"name": "x", "data": {"cu3s_file_path": "a"}, "pipeline": "/etc/passwd"}',
    ),
    Case(
        "nine MiB",
        "ValidateConfig",
        lambda: {"config_type": "pipeline", "config_bytes": b" " * (9 * 1024**2)},
        EXHAUSTED,
        "config_bytes has 9437184 bytes; the limit is 8388608.",
        in_session=False,
    ),
    Case(
        "no UTF-8",
        "ValidateConfig",
        lambda: {"config_type": "pipeline", "config_bytes": b"\xff"},
        INVALID,
        "config_bytes is not UTF-8 at byte 0. Send the config as UTF-8 JSON.",
        in_session=False,
    ),
    Case(
        "a schema of the system",
        "GetParameterSchema",
        lambda: {"config_type": "../../etc/passwd"},
        MISSING,
        "config_type '../../etc/passwd' is unknown. Known: trainrun, pipeline, data, training, "
        "optimizer, scheduler, callbacks.",
        in_session=False,
    ),
]


def _deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value
