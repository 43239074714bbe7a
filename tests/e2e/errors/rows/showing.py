"""Errors of the methods that describe and draw pipelines and nodes."""

import grpc

from tests.e2e.errors.row import Row, RowTestedElsewhere, TableRow
from tests.e2e.errors.rows.recurring import (
    fields,
    no_pipeline,
    row,
    unknown_session,
)
from tests.support.case import EXHAUSTED, INVALID


def _draws(name: str, code: grpc.StatusCode, text: str, remedy: str, **given: object) -> Row:
    make = fields(**{"format": "mermaid", **given})
    return row("GetPipelineVisualization", name, code, text, remedy, make, in_session=False)


def _elsewhere(method: str, name: str, text: str, remedy: str, proof: str) -> RowTestedElsewhere:
    return RowTestedElsewhere(
        name=name, method=method, code="RESOURCE_EXHAUSTED", text=text, remedy=remedy, proof=proof
    )


NOTES = {
    "GetPipelineVisualization": "A session is needed only if `config_content` is empty.",
}


ROWS: list[TableRow] = [
    unknown_session("GetPipelineInputs"),
    no_pipeline(
        "GetPipelineInputs",
        "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first.",
    ),
    unknown_session("GetPipelineOutputs"),
    no_pipeline(
        "GetPipelineOutputs",
        "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first.",
    ),
    unknown_session("GetPipelineVisualization"),
    no_pipeline(
        "GetPipelineVisualization",
        "This session has no pipeline. Call LoadPipeline or SetTrainRunConfig first.",
    ),
    _draws(
        "an unknown format",
        INVALID,
        "format: pdf is unknown; valid: png, svg, dot, graphviz, mermaid.",
        "Use one of the formats listed in the text.",
        format="pdf",
        config_content="nodes: []",
    ),
    _draws(
        "a config that is not YAML",
        INVALID,
        "config_content is not YAML: did not find expected node content at line 2, column 1.",
        "Send YAML or JSON.",
        config_content="nodes: [",
    ),
    _draws(
        "a config without nodes",
        INVALID,
        "config_content: 'nodes' is missing; a pipeline with nodes is required.",
        "Send a pipeline.",
        config_content="name: x",
    ),
    row(
        "GetPipelineVisualization",
        "a config that is too large",
        EXHAUSTED,
        "config_content: the config has 2097152 bytes; the limit is 1048576.",
        "Shorten the config.",
        lambda: {"config_content": "a" * (2 * 1024**2)},
        in_session=False,
    ),
    _elsewhere(
        "GetPipelineVisualization",
        "other pipelines are being drawn",
        "Other pipelines are being drawn; try again in 2 s.",
        "Wait for the stated time and call again, or request `dot` or `mermaid`.",
        "tests/unit/inference/test_graphviz.py::test_a_few_are_drawn_at_a_time",
    ),
    _elsewhere(
        "GetPipelineVisualization",
        "a pipeline that takes too long to draw",
        "Drawing the pipeline takes longer than <limit> s. Request the format dot or mermaid "
        "and render it yourself.",
        "Request `dot` or `mermaid`.",
        "tests/unit/inference/test_graphviz.py::test_a_drawing_that_takes_too_long_is_ended",
    ),
    unknown_session("ListAvailableNodes"),
]
