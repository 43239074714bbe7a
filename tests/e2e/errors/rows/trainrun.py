"""Errors of the methods that apply, save and restore trainruns."""

import json
from typing import Any

import grpc

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.e2e.errors.row import Row, RowTestedElsewhere, Session, TableRow
from tests.e2e.errors.rows.recurring import (
    INSIDE,
    NO_SESSION,
    PASSWD,
    fields,
    no_pipeline,
    row,
    training_runs,
    unknown_session,
)
from tests.support.case import EARLY, EXHAUSTED, INVALID, MISSING, Fields

SAVED = "errors/saved.yaml"
"""A trainrun that was saved."""

OTHER_WEIGHTS = "errors/others.pt"
"""Weights of another pipeline."""

NO_TRAINRUN = "errors/no_trainrun.yaml"
"""A file that is not a trainrun."""

WITHOUT_PIPELINE = "errors/without_pipeline.yaml"
"""A trainrun that has no pipeline."""

_BUSY = (
    "A training run is active in this session. Wait until its Train stream ends, or call "
    "StopTrain first."
)
_COMPOSED = "Send the reply of `ResolveConfig`."
_DATA = {"cu3s_file_path": "scene.npz"}
_FOLDER = "Use a relative path; the file is written below the server's output folder."
_FULL = "The output volume is full; free some space and try again."


def _trainrun(content: object) -> Fields:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {"config": pb2.TrainRunConfig(config_bytes=raw)}


def _applies(
    name: str, code: grpc.StatusCode, text: str, remedy: str, content: Any, **options: Any
) -> Row:
    def make() -> Fields:
        return _trainrun(content() if callable(content) else content)

    return row("SetTrainRunConfig", name, code, text, remedy, make, **options)


def _restores(
    name: str, code: grpc.StatusCode, text: str, remedy: str, path: str, **more: Any
) -> Row:
    return row(
        "RestoreTrainRun",
        name,
        code,
        text,
        remedy,
        fields(trainrun_path=path, **more),
        in_session=False,
    )


def _with_pipeline(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "x", "data": _DATA, "pipeline": {"nodes": nodes, "connections": [], **more}}


ROWS: list[TableRow] = [
    unknown_session("SetTrainRunConfig"),
    _applies(
        "an empty config",
        INVALID,
        "trainrun: the config is empty. Send it as UTF-8 JSON.",
        _COMPOSED,
        b"",
    ),
    _applies(
        "a config that is not UTF-8",
        INVALID,
        "trainrun: not UTF-8 at byte 0. Send the config as UTF-8 JSON.",
        "Send the config as UTF-8 JSON.",
        b"\xff",
    ),
    _applies(
        "a config that is not JSON",
        INVALID,
        "trainrun: not JSON: Expecting property name enclosed in double quotes at line 1, "
        "column 2.",
        "Send the config as UTF-8 JSON.",
        b"{name",
    ),
    _applies(
        "a config that is too large",
        EXHAUSTED,
        "trainrun: the config has 9437184 bytes; the limit is 8388608.",
        "Shorten the config.",
        lambda: b" " * (9 * 1024**2),
    ),
    _applies("a missing field", INVALID, "trainrun.data: missing.", _COMPOSED, {"name": "x"}),
    _applies(
        "an unknown key",
        INVALID,
        "trainrun.trainings: unknown key. Did you mean 'training'? Allowed here: data, "
        "freeze_nodes, loss_nodes, metric_nodes, name, output_dir, pipeline, tags, training, "
        "unfreeze_nodes.",
        "Remove the key or correct its name.",
        {"name": "x", "data": _DATA, "trainings": {}},
    ),
    _applies(
        "a value of the wrong type",
        INVALID,
        "trainrun.data.batch_size: must be a valid integer, got 'many'.",
        "Use a value of the type named in the text.",
        {"name": "x", "data": {**_DATA, "batch_size": "many"}},
    ),
    _applies(
        "neither the trainrun nor the session has a pipeline",
        EARLY,
        "Neither the trainrun nor the session has a pipeline. Call LoadPipeline first, or "
        "send a trainrun with a 'pipeline'.",
        "Call `LoadPipeline` first, or send a trainrun with a `pipeline`.",
        {"name": "x", "data": _DATA},
        session=Session.NEW,
    ),
    _applies(
        "an unknown node class",
        INVALID,
        "Node 'a': Node class 'lab.nodes.Detector' is unknown; nearest known: "
        "cuvis_ai.node.metrics.AnomalyDetectionMetrics, "
        "cuvis_ai.anomaly.deep_svdd.DeepSVDDScores. A class of another package can be used "
        "once the operator names that package in NODE_PACKAGES.",
        "Use a class that `ListAvailableNodes` returns.",
        _with_pipeline({"name": "a", "class_name": "lab.nodes.Detector"}),
    ),
    _applies(
        "a plugin that is not registered",
        EARLY,
        "Node 'a': class 'lab.nodes.Detector' is not built in, and the pipeline names "
        "plugins that this session has not registered: lab. Call LoadPlugin first.",
        "Call `LoadPlugin` first.",
        _with_pipeline({"name": "a", "class_name": "lab.nodes.Detector"}, plugins=["lab"]),
    ),
    _applies(
        "a pipeline file that does not exist",
        MISSING,
        "File 'not_there' not found (also with '.yaml', '.yml' added); looked in the "
        "session's search paths, the output folder, the working directory, the data folder "
        "and the configuration tree.",
        "Check the path.",
        {"name": "x", "data": _DATA, "pipeline": "not_there"},
    ),
    _applies(
        "a pipeline file outside the readable folders",
        INVALID,
        "Path '/etc/passwd' is outside the folders that this server may read.",
        INSIDE,
        {"name": "x", "data": _DATA, "pipeline": PASSWD},
    ),
    _applies(
        "weights that do not fit the pipeline",
        INVALID,
        "The weights do not fit the pipeline: missing normalizer.running_min, "
        "normalizer.running_max, detector.mu, detector.cov, detector.cov_inv, logit.scale, "
        "logit.bias (nodes unknown to the pipeline: RXGlobal).",
        "Use weights of the same pipeline.",
        {
            "name": "x",
            "data": _DATA,
            "pipeline": {
                "config_path": "pipeline/rx_statistical",
                "weights_path": OTHER_WEIGHTS,
            },
        },
    ),
    training_runs(
        "SetTrainRunConfig",
        _BUSY,
        lambda: _trainrun({"name": "x", "data": _DATA}),
    ),
    unknown_session("SaveTrainRun", trainrun_path="errors/never.yaml"),
    no_pipeline(
        "SaveTrainRun",
        "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first.",
        trainrun_path="errors/never.yaml",
    ),
    row(
        "SaveTrainRun",
        "an empty path",
        INVALID,
        "trainrun_path is empty; name the YAML file to write.",
        _FOLDER,
    ),
    row(
        "SaveTrainRun",
        "a path outside the output folder",
        INVALID,
        "Path '/etc/x.yaml' is outside the folder that this server writes to; use a relative "
        "path, which is written below its output folder.",
        _FOLDER,
        fields(trainrun_path="/etc/x"),
    ),
    row(
        "SaveTrainRun",
        "a path with `..`",
        INVALID,
        "Path '../../../etc/x.yaml' is outside the folder that this server writes to; use a "
        "relative path, which is written below its output folder.",
        _FOLDER,
        fields(trainrun_path="../../../etc/x"),
    ),
    RowTestedElsewhere(
        name="no disk space left",
        method="SaveTrainRun",
        code="RESOURCE_EXHAUSTED",
        text=_FULL,
        remedy="Contact the operator.",
        proof="tests/service/trainer/test_save_restore.py::test_a_full_volume_leaves_no_trainrun",
    ),
    row(
        "RestoreTrainRun",
        "unknown or expired session",
        MISSING,
        unknown_session("RestoreTrainRun").text,
        "Leave `session_id` empty to restore into a new session.",
        fields(session_id=NO_SESSION, trainrun_path=SAVED),
    ),
    _restores(
        "an empty path",
        INVALID,
        "The path is empty; name a file.",
        "Use the path of a saved trainrun.",
        "",
    ),
    _restores(
        "a file that does not exist",
        MISSING,
        "File 'errors/not_there' not found (also with '.yaml', '.yml' added); looked in the "
        "session's search paths, the output folder, the working directory, the data folder "
        "and the configuration tree.",
        "Check the path.",
        "errors/not_there",
    ),
    _restores(
        "a path outside the readable folders",
        INVALID,
        "Path '/etc/passwd' is outside the folders that this server may read.",
        INSIDE,
        PASSWD,
    ),
    _restores(
        "a file that is not a trainrun",
        INVALID,
        "trainrun 'errors/no_trainrun.yaml'.name: missing; trainrun "
        "'errors/no_trainrun.yaml'.data: missing; trainrun "
        "'errors/no_trainrun.yaml'.remark: unknown key. Allowed here: data, freeze_nodes, "
        "loss_nodes, metric_nodes, name, output_dir, pipeline, tags, training, "
        "unfreeze_nodes.",
        "Use a file that `SaveTrainRun` wrote.",
        NO_TRAINRUN,
    ),
    _restores(
        "a config that is not composed yet",
        INVALID,
        "trainrun 'trainrun/rx_statistical' has a Hydra 'defaults' list, so it is not "
        "composed yet. Call ResolveConfig with its path, and SetTrainRunConfig with the "
        "result.",
        "Call `ResolveConfig`, then `SetTrainRunConfig`.",
        "trainrun/rx_statistical",
    ),
    _restores(
        "no pipeline in the file or next to it",
        INVALID,
        "The trainrun has no 'pipeline', and there is no 'without_pipeline_pipeline.yaml' "
        "beside it. Add the pipeline itself or its path.",
        "Save the trainrun together with its pipeline.",
        WITHOUT_PIPELINE,
    ),
    _restores(
        "a weights file that does not exist",
        MISSING,
        "File 'errors/not_there' not found (also with '.pt', '.ckpt', '.safetensors' added); "
        "looked in the session's search paths, the output folder, the working directory, the "
        "data folder and the configuration tree.",
        "Check the path.",
        SAVED,
        weights_path="errors/not_there",
    ),
    _restores(
        "weights that do not fit the pipeline",
        INVALID,
        "The weights do not fit the pipeline: RXGlobal.mu has shape [5], the pipeline's has "
        "[61]; missing MinMaxNormalizer.running_min, MinMaxNormalizer.running_max, "
        "RXGlobal.cov, RXGlobal.cov_inv, ScoreToLogit.scale, ScoreToLogit.bias.",
        "Use weights of the same pipeline.",
        SAVED,
        weights_path=OTHER_WEIGHTS,
    ),
    training_runs(
        "RestoreTrainRun",
        _BUSY,
        fields(trainrun_path=SAVED),
    ),
]
