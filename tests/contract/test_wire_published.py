"""Our wire is the published wire, compared item by item with the published descriptors.

Every published service, method, message, field, enum and value must be in ours under the same
number with the same name and type. What differs is listed here and nowhere else.
"""

from dataclasses import replace

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2
from fleet_proto.methods import METHODS_BY_SERVICE, SERVICE_NAME
from tests.support.published.schemas import RELEASES, Fact, facts, published_file, release_key

pytestmark = pytest.mark.published

RENAMED = {
    # field: (older name, last release that used it)
    "GetPipelineInfoRequest.1": ("pipeline_name", "0.2.0"),
    "PipelineInfo.1": ("name", "0.2.0"),
    "PipelineInfo.2": ("path", "0.2.0"),
    "LoadPluginsResponse.1": ("loaded_plugins", "0.4.1"),
    "PluginInfo.5": ("provides", "0.5.2"),
}
"""Names are not sent on the wire; ours are the newest."""

MOVED_INTO_ONEOF = {"Tensor.3": ("payload", "0.6.0")}
"""Field: (oneof, last release before); the bytes of a field are the same inside a oneof."""

CONFLICT = {
    # field: (older type, last release that used it)
    "NodeInfo.5": ("map<string, message PortSpecList>", "0.4.1"),
    "NodeInfo.6": ("map<string, message PortSpecList>", "0.4.1"),
}
"""The only incompatible change ever published. Ours is the newer form."""

OUT_OF_SCOPE = (
    "RunRuntime",
    "InitializeSessionRequest",
    "InitializeSessionResponse",
    "StopRunRequest",
    "StopRunResponse",
    "HealthCheckRequest",
    "HealthCheckResponse",
)
"""The service between a published server and its child processes, and its messages."""


def is_public(key: str) -> bool:
    return not any(key == name or key.startswith((f"{name}.", f"{name}/")) for name in OUT_OF_SCOPE)


def published_facts(release: str) -> dict[str, Fact]:
    return {key: fact for key, fact in facts(published_file(release)).items() if is_public(key)}


def our_facts() -> dict[str, Fact]:
    file = FileDescriptorProto()
    cuvis_ai_pb2.DESCRIPTOR.CopyToProto(file)
    return facts(file)


def as_published(key: str, fact: Fact, release: str) -> Fact:
    """Convert one of our facts to the corresponding fact of a release."""
    for table, attribute in ((RENAMED, "name"), (CONFLICT, "kind")):
        older, last = table.get(key, ("", ""))
        if last and release_key(release) <= release_key(last):
            fact = replace(fact, **{attribute: older})
    _, last = MOVED_INTO_ONEOF.get(key, ("", ""))
    if last and release_key(release) <= release_key(last):
        fact = replace(fact, oneof="")
    return fact


@pytest.mark.parametrize("release", RELEASES)
def test_our_wire_contains_everything_published(release: str) -> None:
    ours = our_facts()
    differing = {
        key: (fact, ours.get(key))
        for key, fact in published_facts(release).items()
        if key not in ours or as_published(key, ours[key], release) != fact
    }
    assert differing == {}


def test_our_wire_contains_nothing_unpublished() -> None:
    published = set().union(*(published_facts(release) for release in RELEASES))
    assert our_facts().keys() - published == set()


def test_every_listed_exception_is_needed() -> None:
    for key in (*RENAMED, *MOVED_INTO_ONEOF, *CONFLICT):
        ours = our_facts()[key]
        assert any(published_facts(r).get(key, ours) != ours for r in RELEASES), key
    everything = set().union(*(facts(published_file(release)) for release in RELEASES))
    assert set(OUT_OF_SCOPE) <= everything


def test_one_service_is_left_out() -> None:
    services = {service.name for r in RELEASES for service in published_file(r).service}
    assert services == {"CuvisAIService", "RunRuntime"}


def test_messages_left_out_are_used_by_no_public_method() -> None:
    kinds = [fact.kind for fact in our_facts().values()]
    assert not [name for name in OUT_OF_SCOPE if any(name in kind for kind in kinds)]


def test_union_has_31_methods_each_answered_by_one_service() -> None:
    service = cuvis_ai_pb2.DESCRIPTOR.services_by_name["CuvisAIService"]
    answered = [method for methods in METHODS_BY_SERVICE.values() for method in methods]
    assert service.full_name == SERVICE_NAME
    assert len(service.methods) == 31
    assert sorted(answered) == sorted(method.name for method in service.methods)
