"""Content of figures of pipelines, and their text formats."""

import re
import shutil
import subprocess

import pytest

from fleet_engine import GraphInvalid, NodeCategory
from fleet_engine.drawing import Arrow, figure_of, to_dot, to_mermaid
from fleet_engine.drawing.figure_of import MAX_PARTS
from fleet_engine.drawing.palette import COLOURS
from fleet_engine.drawing.printable import printable
from fleet_platform.errors import Exhausted
from fleet_schemas import PipelineConfig
from tests.support.scenes.pipelines import DATA, METRICS, MIN_MAX, RX, config, node, rx_config


def card_of(figure, name):
    (card,) = (card for card in figure.cards if card.name == name)
    return card


def test_nodes_are_cards_in_the_configs_order():
    figure = figure_of(rx_config())
    assert [card.name for card in figure.cards] == [one.name for one in rx_config().nodes]
    rx = card_of(figure, "RXGlobal")
    assert (rx.kind, rx.category, rx.stages) == ("RXGlobal", NodeCategory.MODEL, ())
    assert [(row.name, row.type, row.optional) for row in rx.inputs] == [
        ("data", "float32 [B, H, W, C]", False)
    ]
    assert [row.name for row in rx.outputs] == ["scores"]


def test_stages_are_listed_in_the_order_of_a_run():
    assert card_of(figure_of(rx_config()), "metrics_anomaly").stages == ("val", "test")
    chosen = figure_of(config([node("a", METRICS, execution_stages=["TEST", "train"])]))
    assert chosen.cards[0].stages == ("train", "test")


def test_connections_are_arrows_labelled_by_their_ports():
    arrows = figure_of(rx_config()).arrows
    assert Arrow("RXGlobal", "scores", "ScoreToLogit", "scores") in arrows
    labels = {(arrow.source, arrow.target): arrow.label for arrow in arrows}
    assert labels["RXGlobal", "ScoreToLogit"] == "scores"
    assert labels["LentilsAnomalyDataNode", "MinMaxNormalizer"] == "cube → data"


def test_inputs_of_the_request_are_shown():
    figure = figure_of(rx_config())
    assert figure.supplies == ("cube", "mask", "wavelengths")
    optional = {arrow.output: arrow.optional for arrow in figure.arrows if not arrow.source}
    assert optional == {"cube": False, "mask": True, "wavelengths": False}


def test_an_input_that_several_nodes_read_is_shown_once():
    figure = figure_of(config([node("a", MIN_MAX), node("b", MIN_MAX)]))
    assert figure.supplies == ("data",)
    assert [arrow.target for arrow in figure.arrows] == ["a", "b"]


def test_nodes_of_the_same_name_get_the_suffixes_of_the_built_pipeline():
    figure = figure_of(config([node("a", MIN_MAX)] * 3))
    assert [card.name for card in figure.cards] == ["a", "a-1", "a-2"]


def test_an_unknown_class_is_drawn_with_its_connected_ports():
    figure = figure_of(
        config(
            [node("data", DATA, normal_class_ids=[0]), node("net", "some_lab.nodes.Net")],
            [("data.cube", "net.image"), ("data.cube", "net.other")],
        )
    )
    net = card_of(figure, "net")
    assert (net.kind, net.category) == ("Net", NodeCategory.UNSPECIFIED)
    assert [row.name for row in net.inputs] == ["image", "other"]
    assert net.outputs == ()
    assert "not built in" in to_dot(figure)


def test_a_port_that_the_class_does_not_have_is_drawn_without_a_type():
    figure = figure_of(config([node("a", MIN_MAX), node("b", RX)], [("a.wrong", "b.data")]))
    assert [(row.name, row.type) for row in card_of(figure, "a").outputs][-1] == ("wrong", "")


def test_a_connection_to_a_node_that_is_not_there():
    with pytest.raises(GraphInvalid, match="Connection 0: there is no node 'b'"):
        figure_of(config([node("a", MIN_MAX)], [("a.normalized", "b.data")]))


def test_the_size_is_limited():
    edges = [("a.x", "a.y")] * MAX_PARTS
    with pytest.raises(Exhausted, match=f"{MAX_PARTS + 1} nodes and connections"):
        figure_of(config([node("a", "x.Y")], edges))


def test_title_and_description_come_from_the_metadata():
    described = PipelineConfig.model_validate(
        {"metadata": {"name": "RX", "description": "finds <stones>"}, "nodes": []}
    )
    figure = figure_of(described)
    assert (figure.title, figure.description) == ("RX", "finds <stones>")
    assert "finds &lt;stones&gt;" in to_dot(figure)


def test_dot_joins_the_ports_themselves():
    text = to_dot(figure_of(rx_config()))
    assert re.search(r"n0:o0:e -> n1:i0:w \[label=<cube → data>\]", text)
    assert re.search(r"s0:e -> n0:i0:w", text)
    assert COLOURS[NodeCategory.MODEL] in text


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_accepts_the_text_without_a_warning():
    text = to_dot(figure_of(rx_config())).encode()
    done = subprocess.run(
        ["dot", "-Tsvg"], input=text, capture_output=True, check=True, timeout=300
    )
    assert done.stderr == b""
    assert b"<svg" in done.stdout


def test_mermaid_escapes_what_it_could_read_as_syntax():
    figure = figure_of(config([node('say "hi"]; <b>', "x.Y"), node("end#1;", "x.Y")]))
    text = to_mermaid(figure)
    assert '  n0["<b>say #34;hi#34;#93;#59; #60;b#62;</b><br/>Y"]:::unspecified' in text
    assert '  n1["<b>end#35;1#59;</b>' in text
    assert "classDef unspecified fill:" in text


def test_names_are_shown_on_one_line_and_shortened():
    assert printable("a\r\nb\tc\u202e\0") == "a b c"
    assert printable("x" * 61) == "x" * 59 + "…"
    assert printable("\ud800") == ""


@pytest.mark.parametrize("colour", COLOURS.values())
def test_white_text_can_be_read_on_every_colour(colour):
    def linear(value):
        share = int(value, 16) / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(colour[at : at + 2]) for at in (1, 3, 5))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_every_category_has_a_distinct_colour():
    assert set(COLOURS) == set(NodeCategory)
    assert len(set(COLOURS.values())) == len(COLOURS)
