"""GetPipelineVisualization: each format, with and without a session, and the errors."""

import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import yaml
from grpc import StatusCode

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.service.inference.conftest import Refused, Served, rx_config

PIPELINES = sorted((Path(__file__).parents[3] / "configs" / "pipeline").rglob("*.yaml"))
PNG = b"\x89PNG\r\n\x1a\n"
needs_graphviz = pytest.mark.skipif(
    shutil.which("dot") is None, reason="the dot program of Graphviz is not installed"
)


def draw(served: Served, **request: str) -> pb.GetPipelineVisualizationResponse:
    return served.stub.GetPipelineVisualization(pb.GetPipelineVisualizationRequest(**request))


@pytest.fixture
def session(served: Served) -> str:
    served.load(served.session(), rx_config())
    return "one"


@needs_graphviz
@pytest.mark.parametrize("wanted", ["png", "PNG", ""])
def test_png(served: Served, session: str, wanted: str) -> None:
    reply = draw(served, session_id=session, format=wanted)
    assert reply.format == "png"
    assert reply.image_data.startswith(PNG)


@needs_graphviz
def test_svg_shows_the_names(served: Served, session: str) -> None:
    reply = draw(served, session_id=session, format="svg")
    assert reply.format == "svg"
    shown = " ".join(ET.fromstring(reply.image_data).itertext())
    for text in ("detector", "RXGlobal", "scores", "normalized → data", "wavelengths"):
        assert text in shown


@pytest.mark.parametrize("wanted", ["dot", "graphviz", "Dot"])
def test_dot(served: Served, session: str, wanted: str) -> None:
    reply = draw(served, session_id=session, format=wanted)
    assert reply.format == "dot"
    assert reply.image_data.decode().startswith("digraph pipeline {")


def test_mermaid(served: Served, session: str) -> None:
    reply = draw(served, session_id=session, format="mermaid")
    assert reply.format == "mermaid"
    text = reply.image_data.decode()
    assert text.startswith("flowchart LR\n")
    assert "<b>detector</b><br/>RXGlobal" in text


@pytest.mark.parametrize("wanted", ["png", "svg"])
def test_without_graphviz_its_text_is_sent_and_named_so(
    served: Served, session: str, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _program: None)
    reply = draw(served, session_id=session, format=wanted)
    assert reply.format == "dot"
    assert reply.image_data.decode().startswith("digraph pipeline {")


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
@pytest.mark.parametrize("wanted", ["dot", "mermaid", pytest.param("png", marks=needs_graphviz)])
def test_shipped_pipelines_without_a_session(served: Served, path: Path, wanted: str) -> None:
    content = path.read_text(encoding="utf-8")
    reply = draw(served, format=wanted, config_content=content)
    assert reply.format == wanted
    if wanted != "png":
        for node in yaml.safe_load(content)["nodes"]:
            assert node["name"] in reply.image_data.decode()


def test_a_configuration_in_packages_is_unwrapped(served: Served) -> None:
    content = yaml.safe_dump({"pipeline": {"anomaly": {"rx": rx_config()}}})
    assert b"detector" in draw(served, format="mermaid", config_content=content).image_data


def test_a_class_that_is_not_installed_is_drawn(served: Served) -> None:
    content = yaml.safe_dump({"nodes": [{"name": "net", "class_name": "some_lab.nodes.Net"}]})
    assert (
        b"<b>net</b><br/>Net" in draw(served, format="mermaid", config_content=content).image_data
    )


@pytest.mark.parametrize("wanted", ["pdf", "html", "png ", "\0"])
def test_another_format_is_refused(
    served: Served, session: str, refused: Refused, wanted: str
) -> None:
    refused(
        lambda: draw(served, session_id=session, format=wanted),
        StatusCode.INVALID_ARGUMENT,
        "png, svg, dot, graphviz, mermaid",
    )


def test_without_a_pipeline(served: Served, refused: Refused) -> None:
    served.session("empty")
    refused(
        lambda: draw(served, session_id="empty"), StatusCode.FAILED_PRECONDITION, "LoadPipeline"
    )
    refused(lambda: draw(served, session_id="nobody"), StatusCode.NOT_FOUND, "nobody")
    refused(lambda: draw(served), StatusCode.NOT_FOUND, "session_id is empty")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("nodes: [", "config_content is not YAML"),
        ("- a", "config_content must be a mapping"),
        ("name: x\ndescription: y", "config_content: 'nodes' is missing"),
        ("nodes: 3", "config_content.nodes"),
        ("nodes: []\nwrong: 1", "wrong"),
        (
            "nodes: [{name: a, class_name: x.Y}]\n"
            "connections: [{source: a.outputs.o, target: b.inputs.i}]",
            "there is no node 'b'",
        ),
    ],
)
def test_an_invalid_configuration_is_refused(
    served: Served, refused: Refused, content: str, text: str
) -> None:
    refused(
        lambda: draw(served, format="dot", config_content=content),
        StatusCode.INVALID_ARGUMENT,
        text,
    )


def test_a_billion_laughs(served: Served, refused: Refused) -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    refused(
        lambda: draw(served, format="dot", config_content="\n".join(lines)),
        StatusCode.INVALID_ARGUMENT,
        "config_content",
    )


def test_what_is_too_large_to_draw(served: Served, refused: Refused) -> None:
    nodes = [{"name": f"n{n}", "class_name": "x.Y"} for n in range(1000)]
    connections = [
        {"source": f"n{n % 999}.outputs.a", "target": f"n{n % 999 + 1}.inputs.b"}
        for n in range(1001)
    ]
    config = {"nodes": nodes, "connections": connections}
    refused(
        lambda: draw(served, format="dot", config_content=yaml.safe_dump(config)),
        StatusCode.RESOURCE_EXHAUSTED,
        "2001 nodes and connections; at most 2000",
    )
    refused(
        lambda: draw(served, format="dot", config_content="#" * (1 << 20) + "\n"),
        StatusCode.RESOURCE_EXHAUSTED,
        "config_content: the config has 1048577 bytes",
    )


def test_a_graphviz_that_fails_leaves_the_text(
    served: Served, session: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "dot"
    broken.write_text("#!/bin/sh\necho 'no such plugin' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _program: str(broken))
    assert draw(served, session_id=session).format == "dot"


@needs_graphviz
def test_names_are_shown_and_never_obeyed(served: Served) -> None:
    hostile = '"]; } <IMG SRC="/etc/passwd"/> \\N --> x & "'
    content = yaml.safe_dump(
        {
            "metadata": {"name": hostile},
            "nodes": [
                {"name": hostile.replace(".", ""), "class_name": f"x.{hostile}"},
                {"name": "nul\0and\nlines", "class_name": "x.Y"},
            ],
        }
    )
    svg = draw(served, format="svg", config_content=content)
    assert svg.format == "svg"
    root = ET.fromstring(svg.image_data)
    assert not root.findall(".//{http://www.w3.org/2000/svg}image")
    assert '"]; } <IMG SRC="/etc/passwd"/>' in " ".join(root.itertext())
    mermaid = draw(served, format="mermaid", config_content=content).image_data.decode()
    assert "IMG" in mermaid
    for syntax in ("<IMG", '"];', "& ", "--> x"):
        assert syntax not in mermaid
