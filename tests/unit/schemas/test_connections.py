"""Connections are checked against ports, with all faults reported."""

from fleet_schemas import ConnectionConfig
from fleet_schemas.graph import NodePorts, PortType, connect, node_names
from fleet_schemas.pipeline import NodeConfig

CUBE = PortType("float32", (-1, -1, -1, -1))
MASK = PortType("bool", (-1, -1, -1, 1))
NODES = {
    "data": NodePorts("Data", {}, {"cube": CUBE, "mask": MASK}),
    "a": NodePorts("Step", {"x": CUBE}, {"y": CUBE}),
    "b": NodePorts("Step", {"x": CUBE}, {"y": CUBE}),
    "all": NodePorts("Sum", {"terms": PortType("float32", (-1,) * 4, variadic=True)}, {}),
    "other": NodePorts("Unknown", None, None),
}


def edges(*pairs):
    return [
        ConnectionConfig(
            source="{}.outputs.{}".format(*source.split(".")),
            target="{}.inputs.{}".format(*target.split(".")),
        )
        for source, target in pairs
    ]


def faults(*pairs):
    return connect(NODES, edges(*pairs)).faults


def test_a_valid_graph_has_sources_and_no_faults():
    found = connect(
        NODES,
        edges(("data.cube", "a.x"), ("a.y", "b.x"), ("a.y", "all.terms"), ("b.y", "all.terms")),
    )
    assert found.faults == ()
    assert found.sources["all", "terms"] == ("a.y", "b.y")
    assert found.edges == (("data", "a"), ("a", "b"), ("a", "all"), ("b", "all"))


def test_each_fault_is_reported_with_its_place():
    told = faults(
        ("data.cube", "nowhere.x"),
        ("data.cub", "a.x"),
        ("data.mask", "a.x"),
        ("data.cube", "b.x"),
        ("a.y", "b.x"),
    )
    assert [text.split(" ")[1] for text in told] == ["0", "1", "2", "4"]
    assert "no node 'nowhere'" in told[0]
    assert "Did you mean 'cube'?" in told[1]
    assert "bool [B, H, W, 1]" in told[2]
    assert "already fed by data.cube" in told[3]


def test_an_unknown_class_may_have_any_port():
    assert faults(("data.mask", "other.anything"), ("other.whatever", "a.x")) == ()


def test_a_cycle_is_reported_with_other_faults_from_its_first_node():
    told = faults(("data.cub", "a.x"), ("b.y", "a.x"), ("a.y", "b.x"))
    assert len(told) == 2
    assert "cycle: a -> b -> a" in told[1]


def test_faults_and_their_texts_are_limited():
    nodes = {f"n{i}": NodePorts("Step", {"x": CUBE}, {"y": CUBE}) for i in range(1000)}
    wrong = edges(*((f"n{i}.z", f"n{i}.x") for i in range(1000)))
    ring = edges(*((f"n{i}.y", f"n{(i + 1) % 1000}.x") for i in range(1000)))
    missing = edges(("none.y", "n0.x"))

    assert len(connect(nodes, wrong).faults) == 50
    for text in (*connect(nodes, ring).faults, *connect(nodes, missing).faults):
        assert len(text) < 500


def test_duplicate_names_get_a_number():
    nodes = [NodeConfig(name=name, class_name="x") for name in ("n", "n", "m", "n-1", "n")]
    assert node_names(nodes) == ["n", "n-1", "m", "n-1-1", "n-2"]
