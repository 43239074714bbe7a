"""What a client asks outside of a session."""

import difflib
import json
from typing import Any

import grpc

from cuvis_fleet.capabilities import Capabilities
from cuvis_fleet.errors import CuvisFleetError, NotFound, NotImplementedYet
from cuvis_fleet.findings import Findings
from cuvis_fleet.node_info import NodeInfo
from cuvis_fleet.pipeline_info import PipelineInfo
from cuvis_fleet.resolved_config import Config, config_bytes
from cuvis_fleet.session_plans import close, create
from cuvis_fleet.steps import Plan, call
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


def pipelines(filter_tag: str | None) -> Plan[list[PipelineInfo]]:
    """The pipelines that the server offers."""
    request = pb.ListAvailablePipelinesRequest(filter_tag=filter_tag)
    answer = yield from call("ListAvailablePipelines", request, pb.ListAvailablePipelinesResponse)
    return [PipelineInfo.from_wire(info) for info in answer.pipelines]


def pipeline(name: str) -> Plan[PipelineInfo]:
    """One of them; an unknown name is told with those that are nearest."""
    request = pb.GetPipelineInfoRequest(pipeline_path=name)
    try:
        answer = yield from call("GetPipelineInfo", request, pb.GetPipelineInfoResponse)
    except NotFound as error:
        if "Closest matches" in error.text:
            raise
        nearest = yield from _nearest(name)
        text = f"{error.text} Nearest: {', '.join(nearest)}." if nearest else error.text
        raise NotFound(error.method, error.code, text, error.trace_id) from error
    return PipelineInfo.from_wire(answer.pipeline_info)


def capabilities() -> Plan[Capabilities]:
    """What training configurations may name."""
    answer = yield from call(
        "GetTrainingCapabilities",
        pb.GetTrainingCapabilitiesRequest(),
        pb.GetTrainingCapabilitiesResponse,
    )
    return Capabilities(
        optimizers=tuple(answer.supported_optimizers),
        schedulers=tuple(answer.supported_schedulers),
        callbacks=tuple(callback.type for callback in answer.supported_callbacks),
    )


def nodes() -> Plan[list[NodeInfo]]:
    """The node classes of a session without plugins."""
    session_id = yield from create()
    request = pb.ListAvailableNodesRequest(session_id=session_id)
    # No `finally`: a plan that is given up, as by Ctrl-C, makes no more calls.
    try:
        answer = yield from call("ListAvailableNodes", request, pb.ListAvailableNodesResponse)
    except CuvisFleetError:
        yield from close(session_id)
        raise
    yield from close(session_id)
    return [NodeInfo.from_wire(info) for info in answer.nodes]


def schema(config_type: str) -> Plan[dict[str, Any]]:
    """The JSON schema of one kind of configuration."""
    request = pb.GetParameterSchemaRequest(config_type=config_type)
    answer = yield from call("GetParameterSchema", request, pb.GetParameterSchemaResponse)
    parsed: dict[str, Any] = json.loads(answer.json_schema)
    return parsed


def validate(config_type: str, config: Config) -> Plan[Findings]:
    """What is wrong with a configuration."""
    request = pb.ValidateConfigRequest(config_type=config_type, config_bytes=config_bytes(config))
    answer = yield from call("ValidateConfig", request, pb.ValidateConfigResponse)
    return Findings(answer.valid, tuple(answer.errors), tuple(answer.warnings))


def draw(config: Config | str, file_format: str, session_id: str = "") -> Plan[bytes]:
    """A pipeline as a picture or as graph text; an empty configuration: the session's."""
    content = config if isinstance(config, str) else config_bytes(config).decode()
    request = pb.GetPipelineVisualizationRequest(
        session_id=session_id, format=file_format, config_content=content
    )
    answer = yield from call(
        "GetPipelineVisualization", request, pb.GetPipelineVisualizationResponse
    )
    if file_format and answer.format and answer.format != file_format:
        text = (
            f"the server draws {answer.format} where {file_format} was asked for, as it has no"
            " Graphviz; install graphviz there, or ask for dot or mermaid"
        )
        code = grpc.StatusCode.UNIMPLEMENTED
        raise NotImplementedYet("GetPipelineVisualization", code, text, "")
    return bytes(answer.image_data)


def _nearest(name: str) -> Plan[list[str]]:
    try:
        known = [info.path for info in (yield from pipelines(None))]
    except CuvisFleetError:
        return []
    return difflib.get_close_matches(name, known, n=3, cutoff=0.3)
