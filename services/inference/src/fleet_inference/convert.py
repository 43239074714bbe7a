"""Converts between messages and domain types."""

from collections.abc import Iterable, Mapping

from fleet_engine import PortSpec
from fleet_inference.dtypes import WIRE_DTYPES
from fleet_inference.profiling import ProfilingChange
from fleet_platform.profiling import TimingStats
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_schemas import PipelineMetadata


def from_metadata(message: pb.PipelineMetadata) -> PipelineMetadata:
    """Return a pipeline's metadata as the client sent it, including empty fields."""
    return PipelineMetadata(
        name=message.name,
        description=message.description,
        created=message.created,
        tags=list(message.tags),
        author=message.author,
        cuvis_ai_version=message.cuvis_ai_version,
    )


def to_metadata(metadata: PipelineMetadata | None) -> pb.PipelineMetadata:
    """Return the message for a pipeline's metadata; empty if it has no metadata."""
    if metadata is None:
        return pb.PipelineMetadata()
    return pb.PipelineMetadata(
        name=metadata.name,
        description=metadata.description,
        created=metadata.created,
        cuvis_ai_version=metadata.cuvis_ai_version,
        tags=metadata.tags,
        author=metadata.author,
    )


def to_inputs(ports: Mapping[str, PortSpec]) -> pb.GetPipelineInputsResponse:
    """Return the names of the inputs in graph order, and a spec for each."""
    return pb.GetPipelineInputsResponse(
        input_names=list(ports),
        input_specs={
            name: _to_spec(name, port, required=not port.optional) for name, port in ports.items()
        },
    )


def to_outputs(ports: Mapping[str, PortSpec]) -> pb.GetPipelineOutputsResponse:
    """Return the names of the outputs in graph order, and a spec for each; none is required."""
    return pb.GetPipelineOutputsResponse(
        output_names=list(ports),
        output_specs={name: _to_spec(name, port, required=False) for name, port in ports.items()},
    )


def from_set_profiling(request: pb.SetProfilingRequest) -> ProfilingChange:
    """Return the requested changes; fields that the client did not set are None."""
    return ProfilingChange(
        enabled=request.enabled,
        synchronize_cuda=(
            request.synchronize_cuda if request.HasField("synchronize_cuda") else None
        ),
        skip_first_n=request.skip_first_n if request.HasField("skip_first_n") else None,
        reset=request.reset,
    )


def to_profiling_summary(stats: Iterable[TimingStats]) -> pb.GetProfilingSummaryResponse:
    """Return the message for the timings, one entry per node and stage."""
    return pb.GetProfilingSummaryResponse(
        node_stats=[
            pb.NodeProfilingStats(
                node_name=one.node_name,
                stage=pb.ExecutionStage.ValueType(one.stage),
                count=one.count,
                mean_ms=one.mean_ms,
                median_ms=one.median_ms,
                std_ms=one.std_ms,
                min_ms=one.min_ms,
                max_ms=one.max_ms,
                total_ms=one.total_ms,
                last_ms=one.last_ms,
            )
            for one in stats
        ]
    )


def _to_spec(name: str, port: PortSpec, *, required: bool) -> pb.TensorSpec:
    number = WIRE_DTYPES.get(port.dtype, pb.D_TYPE_UNSPECIFIED) if port.dtype else 0
    return pb.TensorSpec(
        name=name, shape=port.shape, dtype=pb.DType.ValueType(number), required=required
    )
