"""Pipelines whose classes come from plugins."""

import json

import pytest
import torch

from fleet_engine import GraphInvalid, build_pipeline
from fleet_engine.graph.node_packages import allow_node_packages
from fleet_engine.plugins import PluginLoader, plugin_nodes, used_plugins
from fleet_engine.weights import build_stored
from fleet_platform.errors import NotFound, OutOfOrder
from fleet_platform.files import pack_folder
from fleet_platform.testing import MemoryArtifactStore
from fleet_proto.records.v1 import records_pb2 as records
from fleet_schemas import PipelineConfig, canonical_json
from tests.support.plugin_folder import NODES, SCALE, write_plugin
from tests.support.scenes.pipelines import infer

NORM = "cuvis_ai.node.normalization.MinMaxNormalizer"


@pytest.fixture
def artifacts():
    return MemoryArtifactStore()


@pytest.fixture
def loader(artifacts):
    return PluginLoader(artifacts, allowed=True)


@pytest.fixture
def register(tmp_path, artifacts):
    """``register(name, changes, provides=...)`` -> a plugin as sessions keep it."""

    def make(name="mine", changes=None, provides=(SCALE,), with_code=True, **kinds):
        manifest = {
            "name": name,
            "path": "x",
            "capabilities": [{"class_name": path, **kinds} for path in provides],
        }
        digest = ""
        if with_code:
            digest = artifacts.put(pack_folder(write_plugin(tmp_path / name, changes)))
        return records.Plugin(
            name=name, manifest_json=json.dumps(manifest).encode(), code_digest=digest
        )

    return make


def config(*paths, **more):
    nodes = [{"name": f"n{i}", "class_name": path} for i, path in enumerate(paths)]
    return PipelineConfig.model_validate({"nodes": nodes, **more})


def scaled(pipeline):
    return infer(pipeline, {"data": torch.ones(1, 1, 1, 1)})["n0.scaled"].item()


def stored(made, plugins):
    return records.Pipeline(config_json=canonical_json(made), plugins=used_plugins(made, plugins))


def test_a_pipeline_lists_only_the_plugins_it_uses(register):
    mine, other = register(), register("other", provides=["other.X"])
    (used,) = used_plugins(config(SCALE, NORM, SCALE), [mine, other])
    assert (used.name, used.code_digest) == ("mine", mine.code_digest)
    assert list(used.class_paths) == [SCALE]
    assert used_plugins(config(NORM), [mine, other]) == []


def test_it_is_built_and_runs(register, loader):
    assert scaled(build_stored(stored(config(SCALE), [register()]), loader)) == 2.0


def test_two_plugins_with_equal_module_names_are_isolated(register, loader):
    mine = register("mine")
    yours = register("yours", {"lab/settings.py": "FACTOR = 9.0\n"})
    pipelines = [build_stored(stored(config(SCALE), [one]), loader) for one in (mine, yours)]
    assert [scaled(pipeline) for pipeline in pipelines] == [2.0, 9.0]


def test_the_plugin_registered_last_provides_a_class(register):
    (used,) = used_plugins(config(SCALE), [register("mine"), register("yours")])
    assert used.name == "yours"


def test_a_built_in_class_comes_first(register, loader):
    plugin = register(provides=[NORM])
    assert used_plugins(config(NORM), [plugin]) == []
    forged = [records.PluginCode(code_digest=plugin.code_digest, class_paths=[NORM])]
    assert loader.class_finder(forged)(NORM).__name__ == "MinMaxNormalizer"


def test_a_class_without_code_is_refused_naming_the_plugin(register):
    plugin = register("builtin", provides=[NORM, "cuvis_ai.node.new.Newer"], with_code=False)
    assert used_plugins(config(NORM), [plugin]) == []
    with pytest.raises(GraphInvalid, match=r"'n0'.*'cuvis_ai.node.new.Newer'.*plugin 'builtin'"):
        used_plugins(config("cuvis_ai.node.new.Newer"), [plugin])


def test_a_data_module_is_not_a_node(register):
    plugin = register(kind="data_module", data_module_name="x", provides=["lab.data.Reader"])
    made = config("lab.data.Reader")
    assert used_plugins(made, [plugin]) == []
    with pytest.raises(GraphInvalid, match="unknown"):
        build_pipeline(made)


def test_an_unregistered_plugin_must_be_loaded_first():
    made = config(SCALE, plugins=["mine"])
    with pytest.raises(OutOfOrder, match=r"not registered: mine. Call LoadPlugin first"):
        used_plugins(made, [])
    assert used_plugins(config(NORM, plugins=["cuvis_ai_builtin"]), []) == []


def test_the_operators_packages_need_no_plugin():
    allow_node_packages(("lab",))
    try:
        assert used_plugins(config(SCALE, plugins=["mine"]), []) == []
    finally:
        allow_node_packages(())


def test_a_server_that_runs_no_plugins_says_so(register, artifacts):
    loader = PluginLoader(artifacts, allowed=False)
    with pytest.raises(GraphInvalid, match=r"'n0'.*plugin 'mine'.*PLUGINS=local"):
        build_stored(stored(config(SCALE), [register()]), loader)


def test_missing_files_are_reported(register):
    with pytest.raises(NotFound, match="Load the plugin"):
        build_stored(
            stored(config(SCALE), [register(changes={"x": "gone"})]),
            PluginLoader(MemoryArtifactStore(), allowed=True),
        )


def test_initial_weights_do_not_depend_on_the_import_order(register, loader):
    drawing = {"lab/settings.py": "import torch\nFACTOR = float(torch.rand(1))\n"}
    hidden = "cuvis_ai.anomaly.deep_svdd.DeepSVDDProjection"
    made = PipelineConfig.model_validate(
        {
            "nodes": [
                {"name": "n0", "class_name": SCALE},
                {"name": "n1", "class_name": hidden, "hparams": {"in_channels": 3}},
            ]
        }
    )
    kept = stored(made, [register(changes=drawing)])
    first, second = build_stored(kept, loader), build_stored(kept, loader)
    assert torch.equal(*(one.nodes["n1"].state_dict()["net.fc1.weight"] for one in (first, second)))


def test_descriptions_come_from_the_manifest(register, loader):
    told = {
        "category": "transform",
        "tags": ["rgb", "image", "no_such_tag"],
        "input_specs": {"x": {"dtype": "uint8", "shape": [-1, 3], "variadic": True}},
        "output_specs": {"y": {"dtype": "list", "shape": []}},
    }
    (node,) = plugin_nodes([register(provides=["lab.never.Imported"], **told)], loader)
    assert (node.class_name, node.plugin, node.category) == ("Imported", "mine", "transform")
    assert node.tags == ("image", "rgb")
    assert (node.inputs["x"].dtype, node.inputs["x"].shape) == (torch.uint8, (-1, 3))
    assert node.inputs["x"].variadic
    assert node.outputs["y"].is_any


def test_ports_come_from_the_class_if_the_manifest_has_none(register, loader):
    named = {"lab/nodes.py": NODES.replace("(-1, -1, -1, -1))}", '(-1, "bands"))}')}
    plugins = [register(), register("yours", named), register("none", with_code=False)]
    (node,) = plugin_nodes(plugins, loader)
    assert (node.plugin, node.paths) == ("yours", (SCALE,))
    assert node.inputs["data"].shape == (-1, -1)
