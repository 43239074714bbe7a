"""Third-party classes that follow the published contract run unchanged."""

import copy
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import torch

from fleet_engine import (
    Artifact,
    Context,
    GraphInvalid,
    Metric,
    NotFitted,
    Stage,
    allow_node_packages,
    build_pipeline,
    node_class,
)
from fleet_engine.weights import (
    WeightsMismatch,
    fitted_nodes,
    from_safetensors,
    load_state,
    load_weights,
    state_of,
    to_safetensors,
    write_published,
)
from fleet_platform.errors import InvalidInput
from tests.support.scenes.pipelines import DATA, INFERENCE, RX, batch_of, config, fit, infer, node

SOUND, FAULTY, OURS = "lab_nodes.sound", "lab_nodes.faulty", "lab_nodes.of_ours"
CHANNELS = 5
BATCHES = [batch_of((2, 6, 7, CHANNELS), seed=seed) for seed in (1, 2, 3)]


@pytest.fixture(autouse=True)
def lab(monkeypatch):
    """Installs and allows the packages of the lab."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "third_party"))
    allow_node_packages(("lab_nodes",))
    yield
    allow_node_packages(())


def centred_pipeline():
    """Entry -> centre (fitted) -> project (trained)."""
    return build_pipeline(
        config(
            [
                node("data", DATA, normal_class_ids=[0]),
                node("centre", f"{SOUND}.Centre", num_channels=CHANNELS),
                node("project", f"{SOUND}.Project", num_channels=CHANNELS),
            ],
            [("data.cube", "centre.data"), ("centre.centred", "project.data")],
        )
    )


def after_data(*nodes, edges):
    return build_pipeline(config([node("data", DATA, normal_class_ids=[0]), *nodes], edges))


def mean_of(batches):
    return torch.cat([batch["cube"].double().flatten(0, 2) for batch in batches]).mean(0)


def test_fits_and_infers():
    pipeline = fit(centred_pipeline(), *BATCHES)
    expected_C = mean_of(BATCHES).float()
    torch.testing.assert_close(pipeline.nodes["centre"].state_dict()["mean"], expected_C)
    outputs = infer(pipeline, BATCHES[0], "centre.centred")
    torch.testing.assert_close(outputs["centre.centred"], BATCHES[0]["cube"].float() - expected_C)


def test_ports_come_from_the_instance():
    pipeline = centred_pipeline()
    assert pipeline.nodes["centre"].OUTPUT_SPECS["centred"].shape == (-1, -1, -1, CHANNELS)
    assert "project.scores" in pipeline.outputs()
    with pytest.raises(GraphInvalid, match=r"node 'centre' \(Centre\) has no output 'center'"):
        after_data(
            node("centre", f"{SOUND}.Centre", num_channels=CHANNELS),
            node("project", f"{SOUND}.Project", num_channels=CHANNELS),
            edges=[("centre.center", "project.data")],
        )


def test_the_instance_knows_its_name_and_hparams():
    centre = centred_pipeline().nodes["centre"]
    assert (centre.name, centre.inner.name) == ("centre", "centre")
    assert centre.hparams == {"num_channels": CHANNELS}


def test_an_unfitted_node_is_refused_by_name():
    with pytest.raises(NotFitted, match="centre"):
        infer(centred_pipeline(), BATCHES[0])


def test_state_keys_are_those_of_the_instance():
    assert {name: set(state) for name, state in state_of(centred_pipeline()).items()} == {
        "data": set(),
        "centre": {"mean"},
        "project": {"layer.weight", "layer.bias"},
    }


@pytest.mark.parametrize(
    ("save", "load"),
    [
        (to_safetensors, from_safetensors),
        (
            lambda pipeline: write_published(pipeline, {}),
            lambda pipeline, content: load_weights(pipeline, content, strict=True),
        ),
    ],
    ids=["artifact", "published file"],
)
def test_a_saved_and_loaded_node_has_the_same_outputs(save, load):
    trained = fit(centred_pipeline(), *BATCHES)
    restored = centred_pipeline()
    with torch.no_grad():
        trained.nodes["project"].inner.layer.weight.mul_(3.0)
    load(restored, save(trained))
    assert fitted_nodes(restored) == ("centre",)
    key = "project.scores"
    assert torch.equal(infer(restored, BATCHES[1])[key], infer(trained, BATCHES[1])[key])


def test_the_artifact_of_an_unfitted_node_leaves_it_unfitted():
    restored = centred_pipeline()
    from_safetensors(restored, to_safetensors(centred_pipeline()))
    with pytest.raises(NotFitted):
        infer(restored, BATCHES[0])


def test_statistics_sized_by_the_data_are_loaded_in_that_size():
    def palette():
        return after_data(
            node("palette", f"{SOUND}.Palette", size=4), edges=[("data.cube", "palette.data")]
        )

    fitted, restored = fit(palette(), *BATCHES), palette()
    from_safetensors(restored, to_safetensors(fitted))
    assert restored.nodes["palette"].state_dict()["colours"].shape == (4, CHANNELS)
    assert torch.equal(
        infer(restored, BATCHES[0])["palette.distance"],
        infer(fitted, BATCHES[0])["palette.distance"],
    )


def test_parameters_keep_their_shape():
    wrong = {"project": {"layer.weight": torch.zeros(1, CHANNELS + 1)}}
    with pytest.raises(WeightsMismatch, match=r"project.layer.weight has shape \[1, 6\]"):
        load_state(centred_pipeline(), wrong, strict=False)


def train_step(pipeline):
    outputs = pipeline.plan(Stage.TRAIN, frozenset({"project.scores"})).run(
        BATCHES[0], Context(Stage.TRAIN, epoch=2, batch_idx=1, global_step=7)
    )
    optimizer = torch.optim.SGD(
        [p for each in pipeline.nodes.values() for p in each.parameters() if p.requires_grad], 1e-2
    )
    outputs["project.scores"].square().mean().backward()
    optimizer.step()


def test_gradients_only_reach_unfrozen_parameters():
    pipeline = fit(centred_pipeline(), *BATCHES)
    before = copy.deepcopy(state_of(pipeline))
    pipeline.nodes["project"].freeze()
    pipeline.nodes["centre"].unfreeze()
    train_step(pipeline)
    after = state_of(pipeline)
    assert not torch.equal(after["centre"]["mean"], before["centre"]["mean"])
    assert torch.equal(after["project"]["layer.weight"], before["project"]["layer.weight"])
    pipeline.nodes["centre"].freeze()
    assert list(pipeline.nodes["centre"].parameters()) == []
    assert torch.equal(state_of(pipeline)["centre"]["mean"], after["centre"]["mean"])


def test_a_fit_while_unfrozen_leaves_it_unfrozen_with_new_statistics():
    pipeline = centred_pipeline()
    pipeline.nodes["centre"].unfreeze()
    fit(pipeline, *BATCHES)
    (mean,) = pipeline.nodes["centre"].parameters()
    torch.testing.assert_close(mean.detach(), mean_of(BATCHES).float())


def test_it_receives_the_context_in_its_own_types():
    pipeline = fit(centred_pipeline(), *BATCHES)
    train_step(pipeline)
    told = pipeline.nodes["centre"].inner.contexts[-1]
    execution = sys.modules["lab_contract.execution"]
    assert told == execution.Context(execution.ExecutionStage.TRAIN, 2, 1, 7)
    assert told.stage is execution.ExecutionStage.TRAIN


def test_array_ports_convert_from_and_to_tensors():
    pipeline = after_data(
        node("bands", f"{SOUND}.Bands", below_nm=403),
        edges=[("data.cube", "bands.data"), ("data.wavelengths", "bands.wavelengths")],
    )
    outputs = infer(pipeline, BATCHES[0])
    assert torch.equal(outputs["bands.kept"], BATCHES[0]["cube"][..., :3].float())
    assert outputs["bands.wavelengths"].tolist() == [400, 401, 402]
    assert outputs["bands.wavelengths"].dtype == torch.int32


def test_array_ports_are_checked_as_tensors():
    with pytest.raises(GraphInvalid, match=r"float32 \[B, H, W, C\], the input needs int32 \[C\]"):
        after_data(
            node("bands", f"{SOUND}.Bands", below_nm=403),
            edges=[("data.cube", "bands.wavelengths")],
        )


def test_variadic_and_optional_ports():
    pipeline = after_data(
        node("sum", f"{SOUND}.Sum"),
        edges=[("data.cube", "sum.terms"), ("data.mask", "sum.terms")],
    )
    batch = batch_of((1, 4, 4, CHANNELS), labelled=True)
    plain = infer(pipeline, batch, "sum.sum")["sum.sum"]
    anomalous = (batch["mask"] != 0).unsqueeze(-1)
    assert torch.equal(plain, batch["cube"].float() + anomalous)


def test_reports_are_converted_and_never_run_at_inference():
    pipeline = after_data(
        node("report", f"{SOUND}.Report"),
        node("sink", f"{SOUND}.Sink"),
        edges=[("data.cube", "report.data"), ("report.metrics", "sink.metrics")],
    )
    plan = pipeline.compile(Stage.VAL, ["report.metrics", "report.artifacts"], sinks=["sink"])
    outputs = plan.run(BATCHES[0], Context(Stage.VAL, epoch=3, batch_idx=2))
    mean = float(BATCHES[0]["cube"].float().mean())
    assert outputs["report.metrics"] == [Metric("mean", mean, Stage.VAL, 3, 2)]
    (picture,) = outputs["report.artifacts"]
    assert isinstance(picture, Artifact)
    assert (picture.name, picture.el_id, picture.stage) == ("grey", 0, Stage.VAL)
    assert pipeline.nodes["sink"].inner.taken == [[outputs["report.metrics"]]]
    assert pipeline.plan(Stage.INFERENCE).node_names == ("data",)


def test_mode_and_device_reach_the_instance():
    pipeline = centred_pipeline()
    centre = pipeline.nodes["centre"]
    assert not centre.inner.training
    assert centre.train().inner.training
    pipeline.to("meta")
    assert centre.inner.mean.device.type == "meta"


def test_a_tree_of_modules_saves_and_loads_it_under_its_own_keys():
    trained, fresh = fit(centred_pipeline(), *BATCHES), centred_pipeline()
    tree = torch.nn.ModuleDict(trained.nodes)
    state = tree.state_dict()
    assert set(state) == {"centre.mean", "project.layer.weight", "project.layer.bias"}
    torch.nn.ModuleDict(fresh.nodes).load_state_dict(state)
    assert torch.equal(fresh.nodes["centre"].inner.mean, trained.nodes["centre"].inner.mean)


def test_one_call_at_a_time():
    pipeline = after_data(
        node("meeting", f"{SOUND}.Meeting"), edges=[("data.cube", "meeting.data")]
    )
    calls = [threading.Thread(target=infer, args=(pipeline, BATCHES[0])) for _ in range(2)]
    for call in calls:
        call.start()
    for call in calls:
        call.join()
    assert not pipeline.nodes["meeting"].inner.met


def test_a_copy_is_an_independent_node():
    centre = fit(centred_pipeline(), *BATCHES).nodes["centre"]
    twin = copy.deepcopy(centre)
    twin.inner.mean.zero_()
    twin(data=torch.zeros(1, 2, 2, CHANNELS), context=INFERENCE)
    assert centre.inner.mean.abs().min() > 0


def test_a_subclass_of_node_needs_no_adapter():
    pipeline = after_data(node("gain", f"{OURS}.Gain", gain=2), edges=[("data.cube", "gain.data")])
    assert type(pipeline.nodes["gain"]) is node_class(f"{OURS}.Gain")
    outputs = infer(pipeline, BATCHES[0], "scaled")
    assert torch.equal(outputs["gain.scaled"], BATCHES[0]["cube"].float() * 2)
    with pytest.raises(GraphInvalid, match=r"'gain' is -1: .*greater than 0"):
        build_pipeline(config([node("gain", f"{OURS}.Gain", gain=-1)]))


@pytest.mark.parametrize("prefixes", [(), ("lab",), ("lab_node",), ("lab_nodes.faulty",)])
def test_nothing_outside_the_allowed_prefixes_is_imported(prefixes, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("lab_nodes")]:
        monkeypatch.delitem(sys.modules, name)
    allow_node_packages(prefixes)
    with pytest.raises(GraphInvalid) as raised:
        build_pipeline(config([node("a", f"{SOUND}.Sum")]))
    for word in ("'a'", f"{SOUND}.Sum", "unknown", "NODE_PACKAGES"):
        assert word in raised.value.text
    assert not any(name.startswith("lab_nodes") for name in sys.modules)


@pytest.mark.parametrize("prefix", ["lab_nodes", "lab_nodes.sound", "lab_nodes.sound.Sum"])
def test_a_prefix_is_a_package_a_module_or_a_class(prefix):
    allow_node_packages((prefix,))
    assert node_class(f"{SOUND}.Sum").__name__ == "Sum"


def test_a_built_in_class_comes_first():
    allow_node_packages(("cuvis_ai",))
    assert node_class(RX).__module__.startswith("fleet_engine.")


FAULTS = {
    "no module": ("lab_nodes.none.Sum", {}, ["'lab_nodes.none'", "ModuleNotFoundError"]),
    "module that fails": (
        "lab_nodes.unimportable.Sum",
        {},
        ["'lab_nodes.unimportable'", "lab_secret_sauce", "trainer and inference"],
    ),
    "the package itself": ("lab_nodes", {}, ["'lab_nodes'"]),
    "no class of that name": (f"{SOUND}.Summ", {}, ["no 'Summ'"]),
    "an imported module": (f"{SOUND}.threading", {}, ["'threading' is not a torch module class"]),
    "no class": (f"{FAULTY}.NOT_A_CLASS", {}, ["'NOT_A_CLASS' is not a torch module class"]),
    "no torch module": (f"{FAULTY}.PlainObject", {}, ["'PlainObject' is not a torch module class"]),
    "no ports": (f"{FAULTY}.PlainModule", {}, ["(PlainModule)", "INPUT_SPECS", "OUTPUT_SPECS"]),
    "no forward": (f"{FAULTY}.NoForward", {}, ["(NoForward)", "forward(**inputs, context)"]),
    "missing hparam": (f"{SOUND}.Centre", {}, ["(Centre)", "num_channels"]),
    "unknown hparam": (f"{FAULTY}.Stage", {"colour": 1}, ["(Stage)", "colour"]),
    "constructor": (f"{FAULTY}.Constructed", {"size": 3}, ["(Constructed)", "IndexError"]),
    "dimension": (f"{FAULTY}.Dimension", {}, ["'data'", "'width'"]),
    "spec": (f"{FAULTY}.SpecWithoutShape", {}, ["'data'", "no dtype and no shape"]),
    "empty variadic": (f"{FAULTY}.EmptyVariadic", {}, ["'data'", "list of 0"]),
    "state": (f"{FAULTY}.State", {}, ["'colour'", "tensors only"]),
    "stage": (f"{FAULTY}.Stage", {}, ["'sometimes'", "inference"]),
    "constructor of ours": (f"{OURS}.Clumsy", {}, ["(Clumsy)", "no licence"]),
    "type hint of ours": (f"{OURS}.Unhinted", {}, ["(Unhinted)", "NoSuchType"]),
}


@pytest.mark.parametrize("case", FAULTS)
def test_refused_naming_node_class_and_fault(case):
    path, hparams, words = FAULTS[case]
    with pytest.raises(GraphInvalid) as raised:
        build_pipeline(config([node("mine", path, **hparams)]))
    for word in ("'mine'", *words):
        assert word in raised.value.text


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("raises", "forward failed: KeyError: 'spectrum'"),
        ("gives a list", "forward returned a list; expected a dict"),
        ("gives nothing", "forward returned no 'scores'"),
        ("gives another shape", "'scores' is float32 [2, 6, 7, 5]; declared: float32 [B, H, W, 1]"),
    ],
)
def test_errors_inside_name_node_and_class(how, words):
    pipeline = after_data(
        node("mine", f"{FAULTY}.Behaves", how=how), edges=[("data.cube", "mine.data")]
    )
    with pytest.raises(InvalidInput) as raised:
        infer(pipeline, BATCHES[0])
    assert raised.value.text.startswith("Node 'mine' (Behaves): ")
    assert words in raised.value.text


def test_running_out_of_memory_is_not_attributed_to_the_node():
    pipeline = after_data(
        node("mine", f"{FAULTY}.Behaves", how="out of memory"), edges=[("data.cube", "mine.data")]
    )
    with pytest.raises(torch.OutOfMemoryError):
        infer(pipeline, BATCHES[0])


def test_a_fit_that_fails_names_node_and_class():
    pipeline = after_data(node("mine", f"{FAULTY}.FailsToFit"), edges=[("data.cube", "mine.data")])
    with pytest.raises(InvalidInput, match=r"'mine' \(FailsToFit\).*ZeroDivisionError: no spread"):
        fit(pipeline, *BATCHES)
    assert not pipeline.nodes["mine"].fitted


def test_numbers_of_numpy_types_without_tensors_stay_as_they_are():
    from lab_contract import PortSpec

    from fleet_engine.graph.third_party.ports import read_ports

    ports = read_ports({"label": PortSpec(np.str_, ()), "cube": PortSpec(np.ndarray, (-1, -1))}, 0)
    assert ports["label"].spec.is_any
    assert ports["cube"].into_node(torch.ones(2, 3)).shape == (2, 3)
