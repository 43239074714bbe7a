"""Errors of ``LoadPipeline``."""

import json
from typing import Any

import grpc

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.e2e.errors.row import Row, TableRow
from tests.e2e.errors.rows.recurring import (
    row,
    training_runs,
    unknown_session,
)
from tests.support.case import EARLY, EXHAUSTED, INVALID, Fields

_RX = "cuvis_ai.anomaly.rx_detector.RXGlobal"
_LOGIT = "cuvis_ai.node.conversion.ScoreToLogit"
_SVDD = "cuvis_ai.anomaly.deep_svdd.DeepSVDDProjection"
_DATA_NODE = "cuvis_ai.node.data.LentilsAnomalyDataNode"
_COMPOSED = "Send the reply of `ResolveConfig`."
_PORTS = "Check the ports of each class with `ListAvailableNodes`."
_DATA_TO_RX = ("data.outputs.cube", "rx.inputs.data")


def _pipeline(content: object) -> Fields:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {"pipeline": pb2.PipelineConfig(config_bytes=raw)}


def _loads(name: str, code: grpc.StatusCode, text: str, remedy: str, content: Any) -> Row:
    def make() -> Fields:
        return _pipeline(content() if callable(content) else content)

    return row("LoadPipeline", name, code, text, remedy, make)


def _node(name: str, class_name: str = _RX, **hparams: object) -> dict[str, object]:
    return {"name": name, "class_name": class_name, "hparams": hparams}


def _graph(*edges: tuple[str, str], nodes: object = None, **more: object) -> dict[str, object]:
    """A data node and RX with these connections."""
    two = [_node("data", _DATA_NODE, normal_class_ids=[0]), _node("rx", num_channels=61)]
    connections = [{"source": source, "target": target} for source, target in edges]
    return {"nodes": two if nodes is None else nodes, "connections": connections, **more}


ROWS: list[TableRow] = [
    unknown_session("LoadPipeline"),
    _loads(
        "an empty config",
        INVALID,
        "pipeline: the config is empty. Send it as UTF-8 JSON.",
        _COMPOSED,
        b"",
    ),
    _loads(
        "a config that is not UTF-8",
        INVALID,
        "pipeline: not UTF-8 at byte 0. Send the config as UTF-8 JSON.",
        "Send the config as UTF-8 JSON.",
        b"\xff",
    ),
    _loads(
        "a config that is not JSON",
        INVALID,
        "pipeline: not JSON: Expecting property name enclosed in double quotes at line 1, "
        "column 2.",
        "Send the config as UTF-8 JSON.",
        b"{nodes",
    ),
    _loads(
        "a config that is too large",
        EXHAUSTED,
        "pipeline: the config has 9437184 bytes; the limit is 8388608.",
        "Shorten the config.",
        lambda: b" " * (9 * 1024**2),
    ),
    _loads(
        "a pipeline without nodes",
        INVALID,
        "pipeline.nodes is empty; a pipeline needs at least one node.",
        "Add at least one node.",
        {"nodes": []},
    ),
    _loads(
        "a missing field",
        INVALID,
        "pipeline.nodes.0.class_name: missing.",
        "Give each node a `class_name`.",
        {"nodes": [{"name": "x"}]},
    ),
    _loads(
        "an unknown node class",
        INVALID,
        "Node 'rx': Node class 'cuvis_ai.anomaly.rx_detector.RXGlobul' is unknown; nearest "
        "known: cuvis_ai.anomaly.rx_detector.RXGlobal, "
        "cuvis_ai.node.anomaly.rx_detector.RXGlobal. A class of another package can be used "
        "once the operator names that package in NODE_PACKAGES.",
        "Use a class that `ListAvailableNodes` returns.",
        _graph(nodes=[_node("rx", "cuvis_ai.anomaly.rx_detector.RXGlobul")]),
    ),
    _loads(
        "a plugin that is not registered",
        EARLY,
        "Node 'a': class 'lab.nodes.Detector' is not built in, and the pipeline names "
        "plugins that this session has not registered: lab. Call LoadPlugin first.",
        "Call `LoadPlugin` first.",
        _graph(nodes=[_node("a", "lab.nodes.Detector")], plugins=["lab"]),
    ),
    _loads(
        "a missing hparam",
        INVALID,
        "Node 'rx' (RXGlobal): the hparam 'num_channels' is missing",
        "Set the hparam.",
        _graph(nodes=[_node("rx")]),
    ),
    _loads(
        "an hparam out of bounds",
        INVALID,
        "Node 'rx' (RXGlobal): the hparam 'num_channels' is 0: Input should be greater than 0",
        "Use a value within the bounds.",
        _graph(nodes=[_node("rx", num_channels=0)]),
    ),
    _loads(
        "an unknown node in a connection",
        INVALID,
        "Connection 0 (missing.outputs.cube -> rx.inputs.data): there is no node 'missing'. "
        "Nodes: data, rx.",
        "Use the name of a node of the pipeline.",
        _graph(("missing.outputs.cube", "rx.inputs.data")),
    ),
    _loads(
        "an unknown port",
        INVALID,
        "Connection 0 (data.outputs.cubes -> rx.inputs.data): node 'data' "
        "(LentilsAnomalyDataNode) has no output 'cubes'. Did you mean 'cube'? Its outputs: "
        "cube, mask, wavelengths.",
        _PORTS,
        _graph(("data.outputs.cubes", "rx.inputs.data")),
    ),
    _loads(
        "two connections to one input",
        INVALID,
        "Connection 1 (more.outputs.cube -> rx.inputs.data): the input is already fed by "
        "data.cube; it accepts only one source.",
        "Remove one of the connections.",
        _graph(
            _DATA_TO_RX,
            ("more.outputs.cube", "rx.inputs.data"),
            nodes=[
                _node("data", _DATA_NODE, normal_class_ids=[0]),
                _node("more", _DATA_NODE, normal_class_ids=[0]),
                _node("rx", num_channels=61),
            ],
        ),
    ),
    _loads(
        "ports of different types",
        INVALID,
        "Connection 0 (data.outputs.mask -> rx.inputs.data): the output has the type bool "
        "[B, H, W, 1], the input needs float32 [B, H, W, C].",
        _PORTS,
        _graph(("data.outputs.mask", "rx.inputs.data")),
    ),
    _loads(
        "a cycle of connections",
        INVALID,
        "The connections form a cycle: a -> b -> a. Remove one of them; a node can only use "
        "what was computed before it.",
        "Remove one of its connections.",
        _graph(
            ("a.outputs.logits", "b.inputs.scores"),
            ("b.outputs.logits", "a.inputs.scores"),
            nodes=[_node("a", _LOGIT), _node("b", _LOGIT)],
        ),
    ),
    _loads(
        "too many nodes",
        INVALID,
        "pipeline.nodes: must have at most 1000 items after validation, not 1001, got a list.",
        "Split the pipeline.",
        lambda: _graph(nodes=[_node(f"n{number}", _LOGIT) for number in range(1001)]),
    ),
    _loads(
        "a pipeline that is too large",
        EXHAUSTED,
        "The pipeline's nodes need 17181179904 bytes or more; at most 4294967296 are available "
        "for one pipeline. Use fewer or smaller nodes.",
        "Use fewer or smaller nodes.",
        _graph(nodes=[_node("a", _SVDD, in_channels=4, hidden=65536, rep_dim=65536)]),
    ),
    training_runs(
        "LoadPipeline",
        "A training run is active in this session. Wait until its Train stream ends, or call "
        "StopTrain first.",
        lambda: _pipeline(_graph(_DATA_TO_RX)),
    ),
]
