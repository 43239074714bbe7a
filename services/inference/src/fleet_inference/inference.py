"""Runs a session's pipeline on a request."""

from collections.abc import Mapping

import torch
from opentelemetry import trace

from fleet_engine import Context, NodeTimes, PortSpec, Stage
from fleet_engine.out_of_memory import map_out_of_memory
from fleet_inference.inputs import to_batch
from fleet_inference.materialiser import Materialiser
from fleet_inference.outputs import to_reply
from fleet_inference.profiling import Profiling
from fleet_inference.shared_memory import SharedMemory
from fleet_inference.wire import DecodedRequest, WireTensor
from fleet_platform.errors import Exhausted
from fleet_platform.rpc import Call
from fleet_platform.sessions import SessionStore, require_pipeline
from fleet_platform.telemetry import MetricRegistry, attributes
from fleet_platform.telemetry.catalogue import metrics

_CONTEXT = Context(stage=Stage.INFERENCE)
_SMALLER = "Send fewer or smaller measurements at once, or request fewer outputs."


class Inference:
    """Implements ``Inference``, ``GetPipelineInputs`` and ``GetPipelineOutputs``."""

    def __init__(
        self,
        *,
        sessions: SessionStore,
        materialiser: Materialiser,
        profiling: Profiling,
        shared: SharedMemory,
        reply_limit_bytes: int,
        registry: MetricRegistry,
    ) -> None:
        """Create the service object.

        Args:
            sessions: the store of sessions and their pipelines.
            materialiser: provides runnable pipelines.
            profiling: stores the timings of nodes.
            shared: reads tensors from shared memory.
            reply_limit_bytes: size limit for the tensors in one reply.
            registry: has the pixel counter.
        """
        self._sessions = sessions
        self._materialiser = materialiser
        self._profiling = profiling
        self._shared = shared
        self._reply_limit_bytes = reply_limit_bytes
        self._pixels = registry.counter(metrics.INFERENCE_PIXELS)

    def infer(
        self, request: DecodedRequest, call: Call
    ) -> tuple[dict[str, WireTensor], dict[str, float]]:
        """Compute the requested outputs of the session's pipeline.

        Returns:
            Tensors and metrics by ``node.port``.

        Raises:
            NotFound: unknown session.
            OutOfOrder: no pipeline, or a required node is not fitted.
            InvalidInput: inputs are missing, cannot be decoded or do not match the pipeline.
            Exhausted: out of memory, or the outputs do not fit into one message.
            Cancelled, DeadlinePassed: the caller is no longer waiting; nothing was computed.
        """
        record = self._sessions.read(request.session_id)
        pipeline = self._materialiser.get(require_pipeline(record), call)
        plan = pipeline.plan(Stage.INFERENCE, request.output_specs)
        call.check()
        with map_out_of_memory("This inference", _SMALLER):
            batch = to_batch(request, pipeline.device, self._shared)
            pixels = _pixels(batch)
            trace.get_current_span().set_attributes(
                {
                    attributes.SESSION_ID: request.session_id,
                    attributes.DEVICE: str(pipeline.device),
                    attributes.NODES: len(plan.node_names),
                    attributes.PIXELS: pixels,
                }
            )
            timed = record.profiling.enabled
            synchronized = record.profiling.synchronize_cuda
            times = NodeTimes.on(pipeline.device, synchronized=synchronized) if timed else None
            outputs = plan.run(batch, _CONTEXT, times)
            self._pixels.inc(pixels)
            if times is not None:
                self._profiling.keep(record, times)
            tensors, numbers = to_reply(outputs, request.output_specs)
            self._refuse_too_large(tensors)
            return tensors, numbers

    def inputs(self, session_id: str, call: Call) -> Mapping[str, PortSpec]:
        """Return the inputs that the session's pipeline reads from a request, by port name."""
        stored = require_pipeline(self._sessions.read(session_id))
        return self._materialiser.get(stored, call).inputs()

    def outputs(self, session_id: str, call: Call) -> Mapping[str, PortSpec]:
        """Return the outputs that no other node consumes, by ``node.port``."""
        stored = require_pipeline(self._sessions.read(session_id))
        return self._materialiser.get(stored, call).outputs()

    def _refuse_too_large(self, tensors: Mapping[str, WireTensor]) -> None:
        """Check the size before gRPC does, whose error would not name a remedy."""
        size_bytes = sum(tensor.size_bytes for tensor in tensors.values())
        if size_bytes > self._reply_limit_bytes:
            raise Exhausted(
                f"The outputs take {size_bytes} bytes; at most {self._reply_limit_bytes} fit into "
                f"a reply. {_SMALLER}"
            )


def _pixels(batch: Mapping[str, object]) -> int:
    """Return the number of pixels of the cube [B, H, W, C]; 0 without a cube."""
    cube = batch.get("cube")
    if not isinstance(cube, torch.Tensor) or cube.ndim == 0:
        return 0
    return cube.shape[:-1].numel()
