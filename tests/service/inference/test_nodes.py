"""ListAvailableNodes, with ports in the form that each client reads."""

import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message
from grpc import StatusCode

from fleet_engine import catalogue
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.service.inference.conftest import Refused, Served
from tests.support.published.schemas import published_file

METHOD = "/cuvis_ai.v1.CuvisAIService/ListAvailableNodes"


def single(served: Served) -> dict[str, pb.NodeInfo]:
    reply = served.stub.ListAvailableNodes(
        pb.ListAvailableNodesRequest(session_id=served.session())
    )
    return {node.class_name: node for node in reply.nodes}


def as_read_by(release: str, served: Served, *, port_lists: bool) -> Message:
    """The reply as a client of a published release parses it."""
    session = served.session()
    if port_lists:
        served.sessions.update(session, _called_load_plugins)
    raw = served.channel.unary_unary(METHOD)(
        pb.ListAvailableNodesRequest(session_id=session).SerializeToString()
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(published_file(release))
    name = "cuvis_ai.v1.ListAvailableNodesResponse"
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name)).FromString(raw)


def _called_load_plugins(record) -> None:
    record.uses_port_lists = True


def test_every_built_in_class_is_listed_once(served: Served) -> None:
    nodes = single(served)
    assert set(nodes) == {kind.__name__ for kind in catalogue().values()}
    for node in nodes.values():
        assert catalogue()[node.full_path].__name__ == node.class_name
        assert (node.source, node.plugin_name) == ("builtin", "")
        assert node.category != pb.NODE_CATEGORY_UNSPECIFIED
        assert node.tags
        assert node.icon_svg.startswith(b"<svg ")


def test_ports_tell_dtype_shape_and_what_may_be_left_out(served: Served) -> None:
    nodes = single(served)
    data = nodes["LentilsAnomalyDataNode"]
    assert data.category == pb.NODE_CATEGORY_SOURCE
    assert pb.NODE_TAG_HYPERSPECTRAL in data.tags
    cube = data.output_specs["cube"]
    assert (cube.name, cube.dtype, list(cube.shape)) == ("cube", pb.D_TYPE_FLOAT32, [-1] * 4)
    assert data.input_specs["mask"].optional
    assert not data.input_specs["wavelengths"].optional
    assert nodes["BinaryDecider"].output_specs["decisions"].dtype == pb.D_TYPE_BOOL
    assert nodes["TensorBoardMonitorNode"].input_specs["metrics"].variadic
    assert nodes["RXGlobal"].input_specs["data"].description


@pytest.mark.parametrize("release", ["0.5.2", "0.14.2"])
def test_clients_since_0_5_read_single_specs(served: Served, release: str) -> None:
    reply = as_read_by(release, served, port_lists=False)
    (rx,) = (node for node in reply.nodes if node.class_name == "RXGlobal")
    assert rx.full_path == "cuvis_ai.node.anomaly.rx_detector.RXGlobal"
    assert list(rx.input_specs["data"].shape) == [-1, -1, -1, -1]
    assert rx.category == pb.NODE_CATEGORY_MODEL


@pytest.mark.parametrize("release", ["0.2.0", "0.4.1"])
def test_clients_up_to_0_4_read_lists_of_specs(served: Served, release: str) -> None:
    ours = single(served)
    reply = as_read_by(release, served, port_lists=True)
    assert {node.class_name for node in reply.nodes} == set(ours)
    for node in reply.nodes:
        for side in ("input_specs", "output_specs"):
            theirs, expected = getattr(node, side), getattr(ours[node.class_name], side)
            assert set(theirs) == set(expected)
            for name, port in expected.items():
                (spec,) = theirs[name].specs
                got = (spec.name, spec.dtype, list(spec.shape), spec.optional, spec.description)
                assert got == (name, port.dtype, list(port.shape), port.optional, port.description)
    (rx,) = (node for node in reply.nodes if node.class_name == "RXGlobal")
    assert rx.full_path == "cuvis_ai.anomaly.rx_detector.RXGlobal"
    assert rx.source == "builtin"


def test_a_client_of_0_4_sees_category_tags_and_icon(served: Served) -> None:
    ours = single(served)
    for node in as_read_by("0.4.1", served, port_lists=True).nodes:
        known = ours[node.class_name]
        assert (node.category, list(node.tags), node.icon_svg) == (
            known.category,
            list(known.tags),
            known.icon_svg,
        )


def test_an_unknown_session(served: Served, refused: Refused) -> None:
    refused(
        lambda: served.stub.ListAvailableNodes(pb.ListAvailableNodesRequest(session_id="x")),
        StatusCode.NOT_FOUND,
        "Session x not found",
    )
