"""Tools can read the contract from the server; the default pool has no published names."""

from google.protobuf import descriptor_pb2
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc


def _ask(served, **question):
    stub = reflection_pb2_grpc.ServerReflectionStub(served.channel)
    request = reflection_pb2.ServerReflectionRequest(**question)
    (reply,) = stub.ServerReflectionInfo(iter([request]))
    return reply


def test_it_lists_our_service_and_grpcs_own(serve):
    reply = _ask(serve(), list_services="")
    assert {service.name for service in reply.list_services_response.service} == {
        "cuvis_ai.v1.CuvisAIService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }


def test_every_listed_service_can_be_described(serve):
    served = serve()
    for listed in _ask(served, list_services="").list_services_response.service:
        reply = _ask(served, file_containing_symbol=listed.name)
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(raw)
            for raw in reply.file_descriptor_response.file_descriptor_proto
        ]
        described = {f"{file.package}.{service.name}" for file in files for service in file.service}
        assert listed.name in described


def test_an_unknown_symbol_is_not_found(serve):
    reply = _ask(serve(), file_containing_symbol="no.such.Service")
    assert reply.HasField("error_response")
