"""Operations outside of a session."""

import difflib
import json
from typing import Any

import grpc

from cuvis_fleet.errors import CuvisFleetError, NotFound, Unimplemented
from cuvis_fleet.models.capabilities import Capabilities
from cuvis_fleet.models.findings import Findings
from cuvis_fleet.models.node_info import NodeInfo
from cuvis_fleet.models.pipeline_info import PipelineInfo
from cuvis_fleet.models.resolved_config import Config, config_bytes
from cuvis_fleet.operations.operation import Operation, call
from cuvis_fleet.operations.session_operations import close, create
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


def pipelines(filter_tag: str | None) -> Operation[list[PipelineInfo]]:
    """Return the pipelines that the server offers."""
    request = pb.ListAvailablePipelinesRequest(filter_tag=filter_tag)
    response = yield from call("ListAvailablePipelines", request, pb.ListAvailablePipelinesResponse)
    return [PipelineInfo.from_wire(info) for info in response.pipelines]


def pipeline(name: str) -> Operation[PipelineInfo]:
    """Return one pipeline; the error for an unknown name lists the closest names."""
    request = pb.GetPipelineInfoRequest(pipeline_path=name)
    try:
        response = yield from call("GetPipelineInfo", request, pb.GetPipelineInfoResponse)
    except NotFound as error:
        if "Closest matches" in error.text:
            raise
        nearest = yield from _nearest(name)
        text = f"{error.text} Nearest: {', '.join(nearest)}." if nearest else error.text
        raise NotFound(error.method, error.code, text, error.trace_id) from error
    return PipelineInfo.from_wire(response.pipeline_info)


def capabilities() -> Operation[Capabilities]:
    """Return the optimizers, schedulers and callbacks that training runs can use."""
    response = yield from call(
        "GetTrainingCapabilities",
        pb.GetTrainingCapabilitiesRequest(),
        pb.GetTrainingCapabilitiesResponse,
    )
    return Capabilities(
        optimizers=tuple(response.supported_optimizers),
        schedulers=tuple(response.supported_schedulers),
        callbacks=tuple(callback.type for callback in response.supported_callbacks),
    )


def nodes() -> Operation[list[NodeInfo]]:
    """Return the node classes that are available without plugins."""
    session_id = yield from create()
    request = pb.ListAvailableNodesRequest(session_id=session_id)
    # Not `finally`: an abandoned operation, as after Ctrl-C, cannot make more calls.
    try:
        response = yield from call("ListAvailableNodes", request, pb.ListAvailableNodesResponse)
    except CuvisFleetError:
        yield from close(session_id)
        raise
    yield from close(session_id)
    return [NodeInfo.from_wire(info) for info in response.nodes]


def schema(config_type: str) -> Operation[dict[str, Any]]:
    """Return the JSON schema of a type of configuration."""
    request = pb.GetParameterSchemaRequest(config_type=config_type)
    response = yield from call("GetParameterSchema", request, pb.GetParameterSchemaResponse)
    parsed: dict[str, Any] = json.loads(response.json_schema)
    return parsed


def validate(config_type: str, config: Config) -> Operation[Findings]:
    """Validate a configuration."""
    request = pb.ValidateConfigRequest(config_type=config_type, config_bytes=config_bytes(config))
    response = yield from call("ValidateConfig", request, pb.ValidateConfigResponse)
    return Findings(response.valid, tuple(response.errors), tuple(response.warnings))


def draw(config: Config | str, file_format: str, session_id: str = "") -> Operation[bytes]:
    """Draw a pipeline as an image or graph text; an empty configuration means the session's."""
    content = config if isinstance(config, str) else config_bytes(config).decode()
    request = pb.GetPipelineVisualizationRequest(
        session_id=session_id, format=file_format, config_content=content
    )
    response = yield from call(
        "GetPipelineVisualization", request, pb.GetPipelineVisualizationResponse
    )
    if file_format and response.format and response.format != file_format:
        text = (
            f"the server returned {response.format} instead of {file_format}, because Graphviz"
            " is not installed there; install graphviz on the server, or request dot or mermaid"
        )
        code = grpc.StatusCode.UNIMPLEMENTED
        raise Unimplemented("GetPipelineVisualization", code, text, "")
    return bytes(response.image_data)


def _nearest(name: str) -> Operation[list[str]]:
    try:
        known = [info.path for info in (yield from pipelines(None))]
    except CuvisFleetError:
        return []
    return difflib.get_close_matches(name, known, n=3, cutoff=0.3)
