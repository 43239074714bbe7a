"""Whatever a client gets wrong is told to it in words, and its session stays usable."""

import io
import json
import os
import zipfile
from dataclasses import dataclass, field

import grpc
import numpy as np
import pytest
import redis
import torch

from fleet_local.background import background_stack
from fleet_platform.ports import free_ports
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.support.polling import wait_until
from tests.support.scenes.lentils_scene import BANDS, Scene
from tests.support.stacks import stack_environment
from tests.support.volumes import full_volume
from tests.support.wire import Wire, assert_says, inference, to_tensor, wire

pytestmark = pytest.mark.e2e

INVALID = grpc.StatusCode.INVALID_ARGUMENT
MISSING = grpc.StatusCode.NOT_FOUND
TOO_EARLY = grpc.StatusCode.FAILED_PRECONDITION
NO_SESSION = "0c9cd1b5-5f4f-4b43-a8f5-3c9a0a0e0c0d"
TRAINRUN = "trainrun/rx_statistical"
PIPELINE = "pipeline/anomaly/rx/rx_statistical"
FROM_NPZ = ("data.cu3s_file_path=scene.npz", "data.annotation_json_path=null")


@pytest.fixture(scope="module")
def weights_file(stack, scene):
    """Fitted weights, as the path that every session may load them by."""
    with wire(stack.address) as calls:
        session_id = calls.session()
        calls.apply(session_id, calls.resolve(session_id, "trainrun", TRAINRUN, FROM_NPZ))
        calls.train(session_id)
        calls.call("SavePipeline", session_id=session_id, pipeline_path="bad_input/fitted.yaml")
        calls.call("CloseSession", session_id=session_id)
    return "bad_input/fitted.pt"


@dataclass(frozen=True)
class Fitted:
    """A session that can infer, and proof that it still can."""

    calls: Wire
    session_id: str
    scene: Scene
    pipeline: dict = field(default_factory=dict)

    def refused(self, method, **fields):
        """How the session's call was refused."""
        return self.calls.refused(method, session_id=self.session_id, **fields)

    def refused_inference(self, cube=None, wavelengths=None, mask=None):
        """How an inference was refused; tensors that are not given are good ones."""
        good = inference(self.session_id, self.scene.cubes[:1], self.scene.wavelengths_nm[None])
        inputs = good["inputs"]
        if cube is not None:
            inputs.cube.CopyFrom(cube)
        if wavelengths is not None:
            inputs.wavelengths.CopyFrom(wavelengths)
        if mask is not None:
            inputs.mask.CopyFrom(mask)
        return self.calls.refused("Inference", **good)

    def refused_pipeline(self, change):
        """How the session's own pipeline was refused after `change` had spoilt it."""
        spoilt = json.loads(json.dumps(self.pipeline))
        change(spoilt)
        config = pb2.PipelineConfig(config_bytes=json.dumps(spoilt).encode())
        return self.refused("LoadPipeline", pipeline=config)

    def assert_usable(self):
        """The session infers."""
        outputs = self.calls.infer(
            self.session_id, self.scene.cubes[:1], self.scene.wavelengths_nm[None], ["decisions"]
        )
        assert outputs["decisions"].shape == (1, *self.scene.mask.shape[1:], 1)


@pytest.fixture
def fitted(calls, scene, weights_file):
    """A fitted session; after each test it must still infer."""
    session_id = calls.session()
    pipeline = calls.resolve(session_id, "pipeline", PIPELINE)
    calls.load(session_id, pipeline)
    calls.call("LoadPipelineWeights", session_id=session_id, weights_path=weights_file)
    fitted = Fitted(calls, session_id, scene, json.loads(pipeline))
    yield fitted
    fitted.assert_usable()
    calls.call("CloseSession", session_id=session_id)


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("SetSessionSearchPaths", {"search_paths": ["/tmp"]}),
        ("CloseSession", {}),
        ("ResolveConfig", {"config_type": "trainrun", "path": TRAINRUN}),
        ("SetTrainRunConfig", {"config": pb2.TrainRunConfig(config_bytes=b"{}")}),
        ("Train", {}),
        ("GetTrainStatus", {}),
        ("LoadPipeline", {"pipeline": pb2.PipelineConfig(config_bytes=b"{}")}),
        ("LoadPipelineWeights", {"weights_path": "weights.pt"}),
        ("SavePipeline", {"pipeline_path": "never.yaml"}),
        ("Inference", {}),
    ],
)
def test_an_unknown_session_is_not_found(calls, method, fields):
    refusal = calls.refused(method, session_id=NO_SESSION, **fields)
    assert_says(refusal, MISSING, NO_SESSION, "CreateSession")


@pytest.fixture(scope="module")
def bare_stack(tmp_path_factory, data_dir):
    """A stack without the SDK whose sessions expire soon."""
    folder = tmp_path_factory.mktemp("bare")
    environment = stack_environment(folder, data_dir, {"SESSION_TTL_S": "4"})
    with background_stack(free_ports(1)[0], folder / "run", environment) as running:
        yield running


def test_an_empty_session_id_is_told_to_be_empty(calls):
    assert_says(calls.refused("GetTrainStatus"), MISSING, "session_id|empty|''", "CreateSession")


def test_an_expired_session_is_not_found_and_a_used_one_lives_on(bare_stack):
    with (
        wire(bare_stack.address) as calls,
        redis.Redis(port=bare_stack.part("redis")["port"], decode_responses=True) as store,
    ):
        idle, used = calls.session(), calls.session()

        def stored() -> bool:
            calls.call("GetTrainStatus", session_id=used)
            return any(idle in key for key in store.scan_iter())

        assert stored()
        wait_until(lambda: not stored(), "the idle session expires")
        for method in ("Inference", "GetTrainStatus", "CloseSession"):
            assert_says(calls.refused(method, session_id=idle), MISSING, idle, "expire")
        assert calls.call("CloseSession", session_id=used).success


def test_inference_before_a_pipeline_names_the_call_to_make_first(calls, scene):
    session_id = calls.session()
    fields = inference(session_id, scene.cubes[:1], scene.wavelengths_nm[None])
    assert_says(calls.refused("Inference", **fields), TOO_EARLY, "LoadPipeline")
    refusal = calls.refused("SavePipeline", session_id=session_id, pipeline_path="none.yaml")
    assert_says(refusal, TOO_EARLY, "LoadPipeline")
    refusal = calls.refused("LoadPipelineWeights", session_id=session_id, weights_path="none.pt")
    assert_says(refusal, TOO_EARLY, "LoadPipeline")
    calls.load(session_id, calls.resolve(session_id, "pipeline", PIPELINE))


def test_inference_before_training_names_the_node_and_the_remedy(calls, scene, weights_file):
    session_id = calls.session()
    calls.load(session_id, calls.resolve(session_id, "pipeline", PIPELINE))
    fields = inference(session_id, scene.cubes[:1], scene.wavelengths_nm[None])
    refusal = calls.refused("Inference", **fields)
    assert_says(refusal, TOO_EARLY, "MinMaxNormalizer", "Train", "LoadPipelineWeights")
    calls.call("LoadPipelineWeights", session_id=session_id, weights_path=weights_file)
    assert calls.call("Inference", **fields).outputs


def test_train_before_its_configuration_names_the_call_to_make_first(calls):
    session_id = calls.session()
    assert_says(calls.refused("Train", session_id=session_id), TOO_EARLY, "SetTrainRunConfig")
    calls.apply(session_id, calls.resolve(session_id, "trainrun", TRAINRUN, FROM_NPZ))
    assert calls.train(session_id)[-1].status == pb2.TRAIN_STATUS_COMPLETE


def test_foreign_search_paths_come_back_as_sent(calls):
    session_id = calls.session()
    sent = ["/home/someone/configs", "C:\\work\\configs", "/etc", "no/such/folder"]
    answer = calls.call(
        "SetSessionSearchPaths", session_id=session_id, search_paths=sent, append=False
    )
    assert answer.success
    assert list(answer.rejected_paths) == sent
    assert calls.resolve(session_id, "trainrun", TRAINRUN)


@pytest.mark.parametrize(
    ("config_type", "path", "overrides", "code", "words"),
    [
        ("trainrun", "trainrun/not_there", (), MISSING, ["trainrun/not_there"]),
        ("trainrun", "", (), INVALID, ["path"]),
        ("recipe", TRAINRUN, (), INVALID, ["recipe", "trainrun"]),
        ("trainrun", "../../../../etc/passwd", (), INVALID, ["etc/passwd"]),
        ("trainrun", "/etc/passwd", (), INVALID, ["/etc/passwd"]),
        ("trainrun", TRAINRUN, ("data.batch_sizes=4",), INVALID, ["batch_sizes"]),
        ("trainrun", TRAINRUN, ("data.batch_size=many",), INVALID, ["batch_size", "integer"]),
        ("trainrun", TRAINRUN, ("data.batch_size",), INVALID, ["data.batch_size"]),
        ("trainrun", TRAINRUN, ("training.optimizer.lr=-1",), INVALID, ["lr"]),
        ("trainrun", TRAINRUN, ("hydra.run.dir=/tmp",), INVALID, ["hydra"]),
        ("trainrun", TRAINRUN, ("name=${oc.env:HOME}",), INVALID, ["oc.env"]),
        ("trainrun", TRAINRUN, ("data@data=nothing",), INVALID, ["nothing"]),
    ],
)
def test_what_cannot_be_resolved_is_named(fitted, config_type, path, overrides, code, words):
    refusal = fitted.refused(
        "ResolveConfig", config_type=config_type, path=path, overrides=overrides
    )
    assert_says(refusal, code, *words)
    assert "root:" not in refusal.text


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (b"", ["empty|missing"]),
        (b"\xff\xfe", ["UTF-8"]),
        (b"{nodes", ["JSON"]),
        (b"[]", ["object"]),
        (b'{"nodes": [{"name": "x"}]}', [r"nodes\.0\.class_name"]),
    ],
)
def test_a_malformed_pipeline_is_told_where(fitted, config, words):
    refusal = fitted.refused("LoadPipeline", pipeline=pb2.PipelineConfig(config_bytes=config))
    assert_says(refusal, INVALID, *words)


def _node(config, name):
    (node,) = (node for node in config["nodes"] if node["name"] == name)
    return node


def test_an_unknown_node_class_is_named(fitted):
    def change(config):
        _node(config, "RXGlobal")["class_name"] = "cuvis_ai.anomaly.rx_detector.RXGlobul"

    refusal = fitted.refused_pipeline(change)
    assert_says(refusal, INVALID, "RXGlobul", "RXGlobal")


def test_a_class_path_is_never_imported_because_a_client_named_it(fitted):
    def change(config):
        _node(config, "RXGlobal")["class_name"] = "os.system"

    assert_says(fitted.refused_pipeline(change), INVALID, "os.system")


def test_a_missing_hparam_is_named(fitted):
    def change(config):
        del _node(config, "RXGlobal")["hparams"]["num_channels"]

    assert_says(fitted.refused_pipeline(change), INVALID, "RXGlobal", "num_channels")


def test_an_unknown_port_is_named_with_those_that_exist(fitted):
    def change(config):
        config["connections"].append(
            {"source": "RXGlobal.outputs.scorez", "target": "ScoreToLogit.inputs.scores"}
        )

    assert_says(fitted.refused_pipeline(change), INVALID, "RXGlobal", "scorez", r"\bscores\b")


def test_a_connection_to_no_node_is_named(fitted):
    def change(config):
        config["connections"].append(
            {"source": "Nobody.outputs.scores", "target": "ScoreToLogit.inputs.scores"}
        )

    assert_says(fitted.refused_pipeline(change), INVALID, "Nobody")


def test_a_cycle_is_named_by_its_nodes(fitted):
    def change(config):
        config["connections"] = [
            wire
            for wire in config["connections"]
            if wire["target"] != "MinMaxNormalizer.inputs.data"
        ]
        config["connections"].append(
            {"source": "RXGlobal.outputs.scores", "target": "MinMaxNormalizer.inputs.data"}
        )

    refusal = fitted.refused_pipeline(change)
    assert_says(refusal, INVALID, "cycle", "MinMaxNormalizer", "RXGlobal")


def test_two_sources_on_one_port_are_named(fitted):
    def change(config):
        config["connections"].append(
            {
                "source": "LentilsAnomalyDataNode.outputs.cube",
                "target": "RXGlobal.inputs.data",
            }
        )

    assert_says(fitted.refused_pipeline(change), INVALID, "RXGlobal", "data")


@pytest.mark.parametrize("shape", [(32, BANDS), (32, 32, BANDS), (1, 1, 32, 32, BANDS)])
def test_a_cube_of_wrong_rank_is_told_the_right_one(fitted, shape):
    refusal = fitted.refused_inference(cube=to_tensor(np.ones(shape, np.uint16)))
    assert_says(refusal, INVALID, "cube", r"\[B, ?H, ?W, ?C\]|rank|4 dimensions|4-D")


def test_a_cube_of_wrong_channel_count_is_told_the_right_one(fitted):
    refusal = fitted.refused_inference(
        cube=to_tensor(np.ones((1, 8, 8, BANDS - 1), np.uint16)),
        wavelengths=to_tensor(np.arange(BANDS - 1, dtype=np.int32)[None]),
    )
    assert_says(refusal, INVALID, str(BANDS), str(BANDS - 1))


def test_bytes_that_do_not_fit_the_shape_are_told_both_sizes(fitted):
    tensor = pb2.Tensor(shape=(1, 4, 4, BANDS), dtype=pb2.D_TYPE_UINT16, raw_data=b"\0" * 100)
    assert_says(fitted.refused_inference(cube=tensor), INVALID, "cube", "100", str(2 * 16 * BANDS))


def test_a_negative_dimension_is_refused(fitted):
    tensor = pb2.Tensor(shape=(1, -4, -4, BANDS), dtype=pb2.D_TYPE_UINT16)
    tensor.raw_data = b"\0" * (2 * 16 * BANDS)
    assert_says(fitted.refused_inference(cube=tensor), INVALID, "cube", "-4|negative")


def test_a_shape_beyond_all_memory_is_refused_before_anything_is_allocated(fitted):
    tensor = pb2.Tensor(shape=(2**40, 2**40, 2**40, BANDS), dtype=pb2.D_TYPE_UINT16)
    assert_says(fitted.refused_inference(cube=tensor), INVALID, "cube", str(2**40))


@pytest.mark.parametrize("shape", [(0, 4, 4, BANDS), (1, 0, 4, BANDS), (1, 4, 4, 0)])
def test_a_cube_without_elements_is_refused(fitted, shape):
    assert_says(
        fitted.refused_inference(cube=to_tensor(np.ones(shape, np.uint16))), INVALID, "cube"
    )


@pytest.mark.parametrize("shape", [(1, 3, 3), (1, 32, 32, 1), (32, 32)])
def test_a_mask_of_wrong_shape_is_told_both(fitted, shape):
    refusal = fitted.refused_inference(mask=to_tensor(np.ones(shape, np.int32)))
    sent = ", ".join(map(str, shape))
    assert_says(refusal, INVALID, "mask", rf"\[{sent}\]", r"\[B, H, W\]|\[1, 32, 32\]")


def test_wavelengths_of_another_number_than_the_channels_are_told(fitted):
    wavelengths = fitted.scene.wavelengths_nm[None, :-1]
    refusal = fitted.refused_inference(wavelengths=to_tensor(wavelengths.copy()))
    assert_says(refusal, INVALID, "wavelengths", str(BANDS), str(BANDS - 1))


@pytest.mark.parametrize("dtype", [0, 99])
def test_an_unsupported_dtype_is_told_those_that_are(fitted, dtype):
    tensor = to_tensor(np.ones((1, 4, 4, BANDS), np.uint16))
    tensor.dtype = dtype
    assert_says(fitted.refused_inference(cube=tensor), INVALID, "cube", "dtype", "uint16")


def test_a_missing_cube_is_named(fitted):
    wavelengths = to_tensor(fitted.scene.wavelengths_nm[None])
    refusal = fitted.refused("Inference", inputs=pb2.InputBatch(wavelengths=wavelengths))
    assert_says(refusal, INVALID, "cube")


def test_missing_wavelengths_are_named(fitted):
    refusal = fitted.refused(
        "Inference", inputs=pb2.InputBatch(cube=to_tensor(fitted.scene.cubes[:1]))
    )
    assert_says(refusal, INVALID, "wavelengths")


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("broken.npz", INVALID, [r"broken\.npz"]),
        ("not_there.npz", MISSING, [r"not_there\.npz"]),
        ("../../../../etc/passwd", INVALID, ["etc/passwd"]),
        ("/etc/passwd", INVALID, ["/etc/passwd"]),
        ("Lentils/Lentils_000.json", INVALID, [r"\.json", r"\.npz"]),
    ],
)
def test_data_that_cannot_be_read_ends_the_training_only(calls, path, code, words):
    session_id = calls.session()
    overrides = (f"data.cu3s_file_path='{path}'", "data.annotation_json_path=null")
    calls.apply(session_id, calls.resolve(session_id, "trainrun", TRAINRUN, overrides))
    told, refusal = calls.failed_training(session_id)
    assert_says(refusal, code, *words)
    assert [message.status for message in told] == [
        pb2.TRAIN_STATUS_RUNNING,
        pb2.TRAIN_STATUS_ERROR,
    ]
    assert told[-1].message == refusal.text
    latest = calls.call("GetTrainStatus", session_id=session_id).latest_progress
    assert latest.status == pb2.TRAIN_STATUS_ERROR
    good = {"cu3s_file_path": "scene.npz", "train_ids": [0, 2]}
    data = pb2.DataConfig(config_bytes=json.dumps(good).encode())
    assert calls.train(session_id, data=data)[-1].status == pb2.TRAIN_STATUS_COMPLETE


def test_measurements_that_the_file_does_not_have_are_named(calls):
    session_id = calls.session()
    overrides = (*FROM_NPZ, "data.train_ids=[0,2,77]")
    calls.apply(session_id, calls.resolve(session_id, "trainrun", TRAINRUN, overrides))
    assert_says(calls.refused("Train", session_id=session_id), INVALID, "77", "6|5")


def test_a_cu3s_file_without_the_sdk_tells_what_to_install(bare_stack):
    with wire(bare_stack.address) as calls:
        session_id = calls.session()
        calls.apply(session_id, calls.resolve(session_id, "trainrun", TRAINRUN))
        refusal = calls.refused("Train", session_id=session_id)
        assert_says(refusal, TOO_EARLY, "cuvis", "cu3s", "SDK|install")
        calls.apply(session_id, calls.resolve(session_id, "trainrun", TRAINRUN, FROM_NPZ))
        assert calls.train(session_id)[-1].status == pb2.TRAIN_STATUS_COMPLETE


def _published(state):
    file = io.BytesIO()
    torch.save({"state_dict": state, "metadata": {}}, file)
    return file.getvalue()


def test_weights_of_another_shape_are_named(fitted):
    state = {"RXGlobal": {"mu": torch.zeros(5)}}
    refusal = fitted.refused("LoadPipelineWeights", weights_bytes=_published(state), strict=False)
    assert_says(refusal, INVALID, "RXGlobal", "mu", "5", str(BANDS))


def test_weights_that_are_missing_are_named(fitted):
    state = {"ScoreToLogit": {"scale": torch.tensor(1.0), "bias": torch.tensor(0.0)}}
    refusal = fitted.refused("LoadPipelineWeights", weights_bytes=_published(state), strict=True)
    assert_says(refusal, INVALID, "RXGlobal", "mu")


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK\x03\x04broken"])
def test_weights_that_are_no_weights_are_refused(fitted, content):
    refusal = fitted.refused("LoadPipelineWeights", weights_bytes=content)
    assert_says(refusal, INVALID, "weights")


def test_weights_from_nowhere_ask_for_a_source(fitted):
    refusal = fitted.refused("LoadPipelineWeights")
    assert_says(refusal, INVALID, "weights_path", "weights_bytes")


class _Bomb:
    def __init__(self, target):
        self._target = target

    def __reduce__(self):
        return (os.mkdir, (str(self._target),))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_bomb_does_not_go_off(fitted, tmp_path, legacy):
    crater = tmp_path / "crater"
    file = io.BytesIO()
    bomb = {"state_dict": {"RXGlobal": {"mu": _Bomb(crater)}}, "metadata": {}}
    torch.save(bomb, file, _use_new_zipfile_serialization=not legacy)
    assert zipfile.is_zipfile(file) is not legacy

    refusal = fitted.refused("LoadPipelineWeights", weights_bytes=file.getvalue())

    assert_says(refusal, INVALID, "weights")
    assert not crater.exists()
    torch.load(io.BytesIO(file.getvalue()), weights_only=False)
    assert crater.exists(), "a bomb that cannot go off proves nothing"


@pytest.mark.parametrize("path", ["/etc/fleet.yaml", "../../../escaped.yaml", "/proc/x.yaml"])
def test_nothing_is_written_outside_the_output_folder(fitted, path):
    refusal = fitted.refused("SavePipeline", pipeline_path=path)
    assert_says(refusal, INVALID, path.replace(".", r"\."))


def test_saving_to_a_full_volume_tells_so_and_leaves_nothing_half_written(
    fitted, output_dir, tmp_path
):
    with full_volume(output_dir / tmp_path.name) as volume:
        refusal = fitted.refused("SavePipeline", pipeline_path=f"{tmp_path.name}/no_room.yaml")
        assert_says(refusal, grpc.StatusCode.RESOURCE_EXHAUSTED, "full|space")
        assert [path.name for path in volume.iterdir()] == ["filler"]


@pytest.mark.parametrize("path", ["folder/", ".", "..", "a\0b.yaml", "x" * 300 + ".yaml"])
def test_a_path_that_names_no_file_is_refused(fitted, output_dir, path):
    before = set(output_dir.rglob("*"))
    refusal = fitted.refused("SavePipeline", pipeline_path=path)
    assert_says(refusal, INVALID, "path")
    assert len(refusal.text) < 300
    assert set(output_dir.rglob("*")) == before


def test_an_empty_path_to_save_to_is_refused(fitted):
    assert_says(fitted.refused("SavePipeline", pipeline_path=""), INVALID, "pipeline_path")


@pytest.mark.parametrize("path", ["/etc/passwd", "/etc/no_such_file", "../../../../etc/passwd"])
def test_no_weights_are_read_outside_the_roots_nor_told_whether_they_exist(fitted, path):
    refusal = fitted.refused("LoadPipelineWeights", weights_path=path)
    assert_says(refusal, INVALID, path.replace(".", r"\."))
    assert "exist" not in refusal.text


def test_weights_that_are_not_there_are_not_found(fitted):
    refusal = fitted.refused("LoadPipelineWeights", weights_path="not_there.pt")
    assert_says(refusal, MISSING, r"not_there\.pt")
