"""Descriptions of the built-in node classes."""

from xml.etree import ElementTree as ET

import pytest

from fleet_engine import NodeCategory, NodeTag, catalogue
from fleet_engine.descriptions import built_in_nodes, icon_svg
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb


def test_every_catalogued_class_has_a_category_and_tags():
    for kind in catalogue().values():
        assert kind.CATEGORY is not NodeCategory.UNSPECIFIED, kind
        assert kind.TAGS, kind


def test_names_are_those_of_the_wire():
    assert [f"NODE_CATEGORY_{one.name}" for one in NodeCategory] == pb.NodeCategory.keys()
    assert ["NODE_TAG_UNSPECIFIED", *(f"NODE_TAG_{one.name}" for one in NodeTag)] == (
        pb.NodeTag.keys()
    )


def test_tags_are_unique_and_in_the_order_of_the_wire():
    order = list(NodeTag)
    for node in built_in_nodes():
        places = [order.index(tag) for tag in node.tags]
        assert places == sorted(set(places)), node.class_name


def test_classes_whose_buffers_train_are_learnable():
    for node in built_in_nodes():
        if catalogue()[node.paths[0]].TRAINABLE_BUFFERS:
            assert NodeTag.LEARNABLE in node.tags, node.class_name


def test_each_class_is_described_once_under_all_of_its_paths():
    nodes = built_in_nodes()
    names = [node.class_name for node in nodes]
    assert names == sorted(set(names))
    paths = [path for node in nodes for path in node.paths]
    assert sorted(paths) == sorted(catalogue())
    (rx,) = (node for node in nodes if node.class_name == "RXGlobal")
    assert rx.paths == (
        "cuvis_ai.anomaly.rx_detector.RXGlobal",
        "cuvis_ai.node.anomaly.rx_detector.RXGlobal",
    )
    assert rx.category is NodeCategory.MODEL
    assert set(rx.inputs) == {"data"}
    assert set(rx.outputs) == {"scores"}


@pytest.mark.parametrize("category", list(NodeCategory))
def test_icons_are_small_drawings_in_the_current_colour(category):
    icon = icon_svg(category)
    root = ET.fromstring(icon)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.get("viewBox") == "0 0 24 24"
    assert root.get("stroke") == "currentColor"
    assert len(root) >= 1
    assert len(icon) < 1024


def test_no_two_categories_share_an_icon():
    assert len({icon_svg(category) for category in NodeCategory}) == len(NodeCategory)
