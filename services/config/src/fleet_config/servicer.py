"""The methods of the config service."""

from fleet_config.capabilities import training_capabilities
from fleet_config.convert import to_pipeline_info, to_reply
from fleet_config.pipeline_catalogue import PipelineCatalogue
from fleet_config.resolution import ConfigResolver
from fleet_config.schemas import json_schema
from fleet_config.validation import validate
from fleet_platform.rpc import Call
from fleet_platform.rpc.service import Handler
from fleet_platform.sessions import SessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


class ConfigServicer:
    """Converts requests, calls the domain and converts the result."""

    def __init__(
        self,
        sessions: SessionStore,
        resolver: ConfigResolver,
        catalogue: PipelineCatalogue,
        node_packages: tuple[str, ...],
    ) -> None:
        self._sessions = sessions
        self._resolver = resolver
        self._catalogue = catalogue
        self._node_packages = node_packages

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by method name."""
        return {
            "ResolveConfig": self.resolve_config,
            "GetParameterSchema": self.get_parameter_schema,
            "ValidateConfig": self.validate_config,
            "GetTrainingCapabilities": self.get_training_capabilities,
            "ListAvailablePipelines": self.list_available_pipelines,
            "ListAvailablePipelinees": self.list_available_pipelinees,
            "GetPipelineInfo": self.get_pipeline_info,
        }

    def resolve_config(
        self, request: pb.ResolveConfigRequest, call: Call
    ) -> pb.ResolveConfigResponse:
        """Resolve a config from the session's search paths."""
        session = self._sessions.read(request.session_id)
        config = self._resolver.resolve(
            request.config_type,
            request.path,
            session.search_paths,
            request.overrides,
            call,
        )
        return to_reply(config)

    def get_parameter_schema(
        self, request: pb.GetParameterSchemaRequest, _call: Call
    ) -> pb.GetParameterSchemaResponse:
        """Return the JSON schema of one kind of config."""
        return pb.GetParameterSchemaResponse(json_schema=json_schema(request.config_type))

    def validate_config(
        self, request: pb.ValidateConfigRequest, _call: Call
    ) -> pb.ValidateConfigResponse:
        """Validate a config."""
        findings = validate(request.config_type, request.config_bytes, self._node_packages)
        return pb.ValidateConfigResponse(
            valid=not findings.errors, errors=findings.errors, warnings=findings.warnings
        )

    def get_training_capabilities(
        self, _request: pb.GetTrainingCapabilitiesRequest, _call: Call
    ) -> pb.GetTrainingCapabilitiesResponse:
        """List the supported training options."""
        return training_capabilities()

    def list_available_pipelines(
        self, request: pb.ListAvailablePipelinesRequest, _call: Call
    ) -> pb.ListAvailablePipelinesResponse:
        """List the available pipelines."""
        offered = map(to_pipeline_info, self._catalogue.list(request.filter_tag))
        return pb.ListAvailablePipelinesResponse(pipelines=offered)

    def list_available_pipelinees(
        self, request: pb.ListAvailablePipelineesRequest, _call: Call
    ) -> pb.ListAvailablePipelineesResponse:
        """List the available pipelines, under the misspelt name of the first release."""
        offered = map(to_pipeline_info, self._catalogue.list(request.filter_tag))
        return pb.ListAvailablePipelineesResponse(pipelinees=offered)

    def get_pipeline_info(
        self, request: pb.GetPipelineInfoRequest, _call: Call
    ) -> pb.GetPipelineInfoResponse:
        """Return one pipeline's details."""
        offered = self._catalogue.get(request.pipeline_path)
        return pb.GetPipelineInfoResponse(pipeline_info=to_pipeline_info(offered))
