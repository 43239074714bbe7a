"""The methods of the inference service."""

from google.protobuf.message import Message

from fleet_inference.convert import (
    from_metadata,
    from_set_profiling,
    to_inputs,
    to_metadata,
    to_outputs,
    to_profiling_summary,
)
from fleet_inference.drawing import Drawing
from fleet_inference.inference import Inference
from fleet_inference.loading import Loading
from fleet_inference.node_listing import NodeListing
from fleet_inference.node_messages import to_nodes
from fleet_inference.profiling import Profiling
from fleet_inference.saving import Saving
from fleet_inference.wire import (
    DecodedRequest,
    WireTensor,
    decode_inference_request,
    encode_inference_response,
)
from fleet_platform.errors import InvalidInput
from fleet_platform.rpc import Call, Codec
from fleet_platform.rpc.service import Handler
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

InferenceReply = tuple[dict[str, WireTensor], dict[str, float]]
"""Tensors and metrics by ``node.port``."""


def _encode(reply: InferenceReply) -> bytes:
    return encode_inference_response(*reply)


CODECS = {"Inference": Codec(decode=decode_inference_request, encode=_encode)}
"""The hand-written codec of ``Inference``."""


class InferenceServicer:
    """Converts requests, calls the domain and converts the result."""

    def __init__(
        self,
        *,
        loading: Loading,
        saving: Saving,
        inference: Inference,
        profiling: Profiling,
        drawing: Drawing,
        listing: NodeListing,
    ) -> None:
        self._loading = loading
        self._saving = saving
        self._inference = inference
        self._profiling = profiling
        self._drawing = drawing
        self._listing = listing

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by method name."""
        return {
            "LoadPipeline": self.load_pipeline,
            "LoadPipelineWeights": self.load_pipeline_weights,
            "SavePipeline": self.save_pipeline,
            "Inference": self.inference,
            "GetPipelineInputs": self.get_pipeline_inputs,
            "GetPipelineOutputs": self.get_pipeline_outputs,
            "GetPipelineVisualization": self.get_pipeline_visualization,
            "ListAvailableNodes": self.list_available_nodes,
            "SetProfiling": self.set_profiling,
            "GetProfilingSummary": self.get_profiling_summary,
        }

    def load_pipeline(self, request: pb.LoadPipelineRequest, call: Call) -> pb.LoadPipelineResponse:
        """Load a pipeline into the session."""
        config = self._loading.load_pipeline(
            request.session_id, request.pipeline.config_bytes, call
        )
        return pb.LoadPipelineResponse(success=True, metadata=to_metadata(config.metadata))

    def load_pipeline_weights(
        self, request: pb.LoadPipelineWeightsRequest, _call: Call
    ) -> pb.LoadPipelineWeightsResponse:
        """Load weights from a file on the server or from the request."""
        strict = request.strict if request.HasField("strict") else True
        match request.WhichOneof("weights_source"):
            case "weights_path":
                source = self._loading.load_weights_file(
                    request.session_id, request.weights_path, strict=strict
                )
            case "weights_bytes":
                source = self._loading.load_weights_bytes(
                    request.session_id, request.weights_bytes, strict=strict
                )
            case _:
                raise InvalidInput(
                    "Neither weights_path nor weights_bytes is set; set one of them."
                )
        return pb.LoadPipelineWeightsResponse(success=True, resolved_path=source)

    def save_pipeline(
        self, request: pb.SavePipelineRequest, _call: Call
    ) -> pb.SavePipelineResponse:
        """Save the pipeline and its weights."""
        pipeline_path, weights_path = self._saving.save_pipeline(
            request.session_id, request.pipeline_path, from_metadata(request.metadata)
        )
        return pb.SavePipelineResponse(
            success=True, pipeline_path=str(pipeline_path), weights_path=str(weights_path)
        )

    def inference(self, request: DecodedRequest, call: Call) -> InferenceReply:
        """Run the pipeline."""
        return self._inference.infer(request, call)

    def get_pipeline_inputs(
        self, request: pb.GetPipelineInputsRequest, call: Call
    ) -> pb.GetPipelineInputsResponse:
        """Return the pipeline's inputs."""
        return to_inputs(self._inference.inputs(request.session_id, call))

    def get_pipeline_outputs(
        self, request: pb.GetPipelineOutputsRequest, call: Call
    ) -> pb.GetPipelineOutputsResponse:
        """Return the pipeline's outputs."""
        return to_outputs(self._inference.outputs(request.session_id, call))

    def get_pipeline_visualization(
        self, request: pb.GetPipelineVisualizationRequest, call: Call
    ) -> pb.GetPipelineVisualizationResponse:
        """Draw a pipeline."""
        drawn = self._drawing.draw(request.session_id, request.format, request.config_content, call)
        return pb.GetPipelineVisualizationResponse(image_data=drawn.content, format=drawn.format)

    def list_available_nodes(self, request: pb.ListAvailableNodesRequest, _call: Call) -> Message:
        """List the available node classes."""
        return to_nodes(self._listing.nodes(request.session_id))

    def set_profiling(
        self, request: pb.SetProfilingRequest, _call: Call
    ) -> pb.SetProfilingResponse:
        """Change the profiling settings."""
        enabled = self._profiling.change(request.session_id, from_set_profiling(request))
        return pb.SetProfilingResponse(profiling_enabled=enabled)

    def get_profiling_summary(
        self, request: pb.GetProfilingSummaryRequest, _call: Call
    ) -> pb.GetProfilingSummaryResponse:
        """Return the timings of the nodes."""
        return to_profiling_summary(self._profiling.summary(request.session_id, request.stage))
