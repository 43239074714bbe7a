"""Server reflection, from which tools such as grpcurl read the wire contract."""

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import reflection, reflection_pb2

from fleet_platform.rpc.method_table import DESCRIPTOR
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2

SERVICE_NAMES = (DESCRIPTOR.full_name, health.SERVICE_NAME, reflection.SERVICE_NAME)


def reflection_servicer() -> reflection.ReflectionServicer:
    """Return a servicer for the fleet's contract and for gRPC's own services."""
    pool = descriptor_pool.DescriptorPool()
    seen: set[str] = set()
    for module in (cuvis_ai_pb2, health_pb2, reflection_pb2):
        _add(module.DESCRIPTOR, pool, seen)
    return reflection.ReflectionServicer(SERVICE_NAMES, pool=pool)


def _add(file: FileDescriptor, pool: descriptor_pool.DescriptorPool, seen: set[str]) -> None:
    if file.name in seen:
        return
    seen.add(file.name)
    for dependency in file.dependencies:
        _add(dependency, pool, seen)
    pool.AddSerializedFile(file.serialized_pb)
