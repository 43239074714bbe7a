"""Any configuration is either drawn or rejected with an error."""

import json
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fleet_inference.drawing import Drawing
from fleet_inference.graphviz import Graphviz
from fleet_platform.errors import Exhausted, InvalidInput
from fleet_platform.rpc import Call
from fleet_platform.testing import MemorySessionStore

DRAWS = Drawing(sessions=MemorySessionStore(60.0), graphviz=Graphviz())
NO_CALL = cast("Call", None)  # texts are drawn without asking how long the caller waits

names = st.one_of(st.sampled_from(["a", "b", "a.b"]), st.text(max_size=8))
classes = st.one_of(
    st.sampled_from(
        [
            "cuvis_ai.node.data.LentilsAnomalyDataNode",
            "cuvis_ai.node.normalization.MinMaxNormalizer",
            "some_lab.Net",
            "",
            ".",
            "os.system",
        ]
    ),
    st.text(max_size=12),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
nodes = st.fixed_dictionaries(
    {"name": names, "class_name": classes},
    optional={
        "hparams": st.one_of(
            values, st.fixed_dictionaries({"execution_stages": st.one_of(values, st.just(["val"]))})
        )
    },
)
ports = st.one_of(st.sampled_from(["cube", "data", "normalized"]), st.text(max_size=4))
connections = st.builds(
    lambda source, output, target, taken: {
        "source": f"{source}.outputs.{output}",
        "target": f"{target}.inputs.{taken}",
    },
    names,
    ports,
    names,
    ports,
)
configs = st.fixed_dictionaries(
    {"nodes": st.lists(nodes, max_size=4)},
    optional={
        "connections": st.lists(connections, max_size=4),
        "metadata": st.one_of(values, st.fixed_dictionaries({"name": st.text(max_size=90)})),
        "name": st.text(max_size=5),
    },
)


@settings(max_examples=300, deadline=None)
@given(
    content=st.one_of(configs, values, st.dictionaries(st.text(max_size=3), configs, max_size=2)),
    wanted=st.sampled_from(["dot", "mermaid", "GraphViz"]),
)
@example(content={"nodes": [{"name": "a", "class_name": "x.Y"}] * 2001}, wanted="dot")
def test_any_configuration(content: Any, wanted: str) -> None:
    try:
        drawing = DRAWS.draw("", wanted, json.dumps(content), NO_CALL)
    except (InvalidInput, Exhausted):
        return
    text = drawing.content.decode()
    assert text.startswith(("digraph pipeline {", "flowchart LR"))
    assert all(mark.isprintable() or mark == "\n" for mark in text)


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=200))
@example("? !!python/object/apply:os.system ['true']")
@example("&a [*a]")
def test_any_text(content: str) -> None:
    with pytest.raises((InvalidInput, Exhausted)):
        DRAWS.draw("", "dot", f"x: 1\n{content}", NO_CALL)
