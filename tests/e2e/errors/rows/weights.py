"""Errors of the methods that load weights and save pipelines."""

import io
from collections.abc import Callable
from typing import Any

import grpc
import torch

from tests.e2e.errors.row import Row, RowTestedElsewhere, TableRow
from tests.e2e.errors.rows.recurring import (
    INSIDE,
    PASSWD,
    fields,
    no_pipeline,
    row,
    training_runs,
    unknown_session,
)
from tests.support.case import INVALID, MISSING, Fields

_FOLDER = "Use a relative path; the file is written below the server's output folder."
_SOURCE = "Set `weights_path` or `weights_bytes`."
_WEIGHTS = "Use weights of the same pipeline, or `strict=false` to load only what fits."
_TORCH = "Use a file that `SavePipeline` wrote, a Lightning `.ckpt` or a `.safetensors` file."


def _weights(
    name: str,
    code: grpc.StatusCode,
    text: str,
    remedy: str,
    make: Callable[[], Fields],
    **more: Any,
) -> Row:
    return row("LoadPipelineWeights", name, code, text, remedy, make, **more)


def _published(state: dict[str, dict[str, torch.Tensor]], **more: object) -> Fields:
    file = io.BytesIO()
    torch.save({"state_dict": state, "metadata": {}}, file)
    return {"weights_bytes": file.getvalue(), **more}


def _elsewhere(method: str, name: str, text: str, remedy: str, proof: str) -> RowTestedElsewhere:
    return RowTestedElsewhere(
        name=name, method=method, code="RESOURCE_EXHAUSTED", text=text, remedy=remedy, proof=proof
    )


ROWS: list[TableRow] = [
    unknown_session("LoadPipelineWeights", weights_path="x.pt"),
    no_pipeline(
        "LoadPipelineWeights",
        "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first.",
        weights_path="x.pt",
    ),
    _weights(
        "neither a path nor bytes",
        INVALID,
        "Neither weights_path nor weights_bytes is set; set one of them.",
        _SOURCE,
        dict,
    ),
    _weights(
        "a file that does not exist",
        MISSING,
        "File 'not_there.pt' not found (also with '.pt', '.ckpt', '.safetensors' added); "
        "looked in the session's search paths, the output folder, the working directory, the "
        "data folder and the configuration tree.",
        "Check the path.",
        fields(weights_path="not_there.pt"),
    ),
    _weights(
        "a path outside the readable folders",
        INVALID,
        "Path '/etc/passwd' is outside the folders that this server may read.",
        INSIDE,
        fields(weights_path=PASSWD),
    ),
    _weights(
        "a file that does not contain weights",
        INVALID,
        "The weights file contains more than tensors and plain values, or is damaged; it is not "
        "read, because that could run code. Needed: a file saved by SavePipeline, or a "
        "Lightning .ckpt of tensors and plain values.",
        _TORCH,
        fields(weights_bytes=b"weights"),
    ),
    _weights(
        "a value with a different shape",
        INVALID,
        "The weights do not fit the pipeline: RXGlobal.mu has shape [5], the pipeline's has [61].",
        _WEIGHTS,
        lambda: _published({"RXGlobal": {"mu": torch.zeros(5)}}, strict=False),
    ),
    _weights(
        "a missing value",
        INVALID,
        "The weights do not fit the pipeline: missing MinMaxNormalizer.running_min, "
        "MinMaxNormalizer.running_max, RXGlobal.mu, RXGlobal.cov, RXGlobal.cov_inv, "
        "ScoreToLogit.bias.",
        _WEIGHTS,
        lambda: _published({"ScoreToLogit": {"scale": torch.tensor(1.0)}}),
    ),
    training_runs(
        "LoadPipelineWeights",
        "A training run is active in this session. Wait until its Train stream ends, or call "
        "StopTrain first.",
        fields(weights_bytes=b"weights"),
    ),
    RowTestedElsewhere(
        name="another call replaced the pipeline in the meantime",
        method="LoadPipelineWeights",
        code="ABORTED",
        text="Another call changed this session's pipeline at the same time. Retry if the call "
        "should apply to the new pipeline.",
        remedy="Repeat the call if it should apply to the new pipeline.",
        proof="tests/service/inference/test_loading.py::"
        "test_a_pipeline_replaced_in_between_is_not_overwritten",
    ),
    _elsewhere(
        "LoadPipelineWeights",
        "no memory left",
        "Loading the weights needs more memory than is available. Try again when the server is "
        "less busy.",
        "Try again later.",
        "tests/service/inference/test_loading.py::test_out_of_memory_while_loading",
    ),
    unknown_session("SavePipeline", pipeline_path="errors/never.yaml"),
    no_pipeline(
        "SavePipeline",
        "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first.",
        pipeline_path="errors/never.yaml",
    ),
    row(
        "SavePipeline",
        "an empty path",
        INVALID,
        "pipeline_path is empty; name the YAML file to write.",
        _FOLDER,
    ),
    row(
        "SavePipeline",
        "a path outside the output folder",
        INVALID,
        "Path '/etc/x.yaml' is outside the folder that this server writes to; use a relative "
        "path, which is written below its output folder.",
        _FOLDER,
        fields(pipeline_path="/etc/x"),
    ),
    row(
        "SavePipeline",
        "a path with `..`",
        INVALID,
        "Path '../../../etc/x.yaml' is outside the folder that this server writes to; use a "
        "relative path, which is written below its output folder.",
        _FOLDER,
        fields(pipeline_path="../../../etc/x"),
    ),
    row(
        "SavePipeline",
        "the path of a folder",
        INVALID,
        "pipeline_path 'folder/' names a folder; name a file.",
        "Use the path of a file.",
        fields(pipeline_path="folder/"),
    ),
    _elsewhere(
        "SavePipeline",
        "no disk space left",
        "The output volume is full; free some space and try again.",
        "Contact the operator.",
        "tests/e2e/test_bad_input.py::"
        "test_saving_to_a_full_volume_tells_so_and_leaves_nothing_half_written",
    ),
]
