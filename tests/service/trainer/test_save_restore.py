"""SaveTrainRun and RestoreTrainRun over the wire: every form and every declared error."""

import io
import json
import uuid
from pathlib import Path

import grpc
import pytest
import torch
import yaml
from grpc import StatusCode

from fleet_engine import build_pipeline
from fleet_engine.plugins import PluginLoader
from fleet_engine.weights import (
    fitted_nodes,
    open_stored,
    state_of,
    to_safetensors,
    write_published,
)
from fleet_platform.files import PathPolicy
from fleet_platform.rpc import Service, connect, start_service
from fleet_platform.sessions import new_session
from fleet_platform.settings import ServiceSettings
from fleet_platform.testing import MemoryArtifactStore, MemoryRunStore, MemorySessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import CuvisAIServiceStub
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_schemas import PipelineConfig
from fleet_trainer.api.servicer import TrainerServicer
from fleet_trainer.trainruns.restoring import TrainRunRestoring
from fleet_trainer.trainruns.saving import TrainRunSaving
from fleet_trainer.trainruns.setup import TrainRunSetup
from tests.support.scenes.rx_scene import rx_pipeline, trainrun
from tests.support.training_client import CALL_WITHIN_S, read
from tests.support.volumes import full_volume

BANDS = 7
FITTED = ("normalizer", "detector", "logit")
OLDER = {"seed": 7, "trainer": {"max_epochs": 3}}
NEWER = {"seed": 7, "max_epochs": 3, "accelerator": "cpu"}


class Sessions(MemorySessionStore):
    """Records which sessions were created."""

    def __init__(self) -> None:
        super().__init__(ttl_s=60.0)
        self.opened = []

    def create(self, record):
        super().create(record)
        self.opened.append(record.session_id)


class Files:
    """A service with these two methods, and one session."""

    def __init__(self, folder: Path) -> None:
        self.outputs, self.configs = folder / "outputs", folder / "configs"
        for each in (self.outputs, self.configs, folder / "data"):
            each.mkdir(exist_ok=True)
        self.settings = ServiceSettings(
            output_dir=self.outputs, cuvis_configs_dir=self.configs, data_dir=folder / "data"
        )
        self.paths = PathPolicy.from_settings(self.settings)
        self.sessions, self.artifacts, self.runs = (
            Sessions(),
            MemoryArtifactStore(),
            MemoryRunStore(),
        )
        self.plugins = PluginLoader(self.artifacts, allowed=False)
        parts = {
            "sessions": self.sessions,
            "artifacts": self.artifacts,
            "plugins": self.plugins,
        }
        self.setup = TrainRunSetup(**parts, runs=self.runs, paths=self.paths)
        servicer = TrainerServicer(
            sessions=self.sessions,
            runs=None,
            launcher=None,
            setup=self.setup,
            saving=TrainRunSaving(**parts, paths=self.paths),
            restoring=TrainRunRestoring(**parts, runs=self.runs, paths=self.paths),
            paths=self.paths,
        )
        methods = {
            "SaveTrainRun": servicer.save_train_run,
            "RestoreTrainRun": servicer.restore_train_run,
        }
        self.service = Service(name="trainer", methods=methods, owned=frozenset(methods))
        record = new_session(self.paths)
        self.sessions.create(record)
        self.session_id = record.session_id

    def record(self, session_id=""):
        return self.sessions.read(session_id or self.session_id)

    def pipeline(self, session_id=""):
        return open_stored(self.record(session_id).pipeline, self.artifacts, self.plugins)

    def apply(self, *, fitted=True, **changes):
        """Apply a trainrun, and store fitted weights unless told otherwise."""
        changes = {"pipeline": rx_pipeline(BANDS)} | changes
        self.setup.apply(self.session_id, trainrun("scene.npz", **changes))
        if fitted:
            digest = self.artifacts.put(to_safetensors(fitted_pipeline()))
            self.sessions.update(
                self.session_id, lambda record: setattr(record.pipeline, "weights_digest", digest)
            )

    def train(self):
        """Record a waiting training of the session."""
        self.runs.create(RunRecord(format_version=1, run_id="run", session_id=self.session_id))
        self.sessions.update(self.session_id, lambda record: setattr(record, "run_id", "run"))

    def save(self, path="mine/run.yaml", *, save_weights=True, session_id=None):
        return self.stub.SaveTrainRun(
            pb.SaveTrainRunRequest(
                session_id=self.session_id if session_id is None else session_id,
                trainrun_path=path,
                save_weights=save_weights,
            )
        )

    def restore(self, path, **fields):
        return self.stub.RestoreTrainRun(
            pb.RestoreTrainRunRequest(trainrun_path=str(path), **fields)
        )

    def write(self, name, **changes):
        """Write a trainrun to the output folder, without a pipeline unless `changes` has one."""
        content = json.loads(trainrun("scene.npz")) | {"pipeline": None} | changes
        path = self.outputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content))
        return path


def fitted_pipeline(bands=BANDS):
    """Return a pipeline with plausible statistics."""
    pipeline = build_pipeline(PipelineConfig.model_validate(rx_pipeline(bands)))
    for number, (name, values) in enumerate(state_of(pipeline).items(), 1):
        for key, value in values.items():
            pipeline.nodes[name].store(key, torch.full_like(value, number / 8))
        pipeline.nodes[name].fitted = pipeline.nodes[name].requires_fit
    return pipeline


def checkpoint(bands=BANDS):
    """Return a checkpoint as the published trainer writes it, without the optimizer."""
    content = io.BytesIO()
    state = {
        f"pipeline_modules.{number}.{key}": value
        for number, values in enumerate(state_of(fitted_pipeline(bands)).values())
        for key, value in values.items()
    }
    torch.save({"epoch": 2, "global_step": 6, "loops": {}, "state_dict": state}, content)
    return content.getvalue()


@pytest.fixture
def files(tmp_path):
    files = Files(tmp_path)
    with (
        start_service(files.service, files.settings) as running,
        connect(running.address) as channel,
    ):
        files.stub = CuvisAIServiceStub(channel)
        yield files


def refused(call, code, *texts):
    with pytest.raises(grpc.RpcError) as caught:
        call()
    details = caught.value.details()
    assert caught.value.code() is code, details
    for text in texts:
        assert text in details


def has_the_weights(files, session_id):
    pipeline = files.pipeline(session_id)
    assert fitted_nodes(pipeline) == FITTED
    for name, values in state_of(fitted_pipeline()).items():
        for key, value in values.items():
            assert torch.equal(state_of(pipeline)[name][key], value)
    return True


def test_the_older_form_has_the_pipeline_inline(files):
    files.apply(training=OLDER, loss_nodes=["bce"], tags={"who": "me"})

    reply = files.save("mine/run.yaml")

    assert reply.success
    assert reply.trainrun_path == str(files.outputs / "mine" / "run.yaml")
    assert reply.weights_path == str(files.outputs / "mine" / "run.pt")
    assert reply.pipeline_path == ""
    content = yaml.safe_load(Path(reply.trainrun_path).read_text())
    assert content["pipeline"]["nodes"] == rx_pipeline(BANDS)["nodes"]
    assert content["training"]["trainer"]["max_epochs"] == 3
    assert content["data"]["train_ids"] == [0, 1, 2]
    assert (content["loss_nodes"], content["tags"]) == (["bce"], {"who": "me"})
    weights = torch.load(reply.weights_path, weights_only=True)
    assert set(weights["state_dict"]) == {node["name"] for node in rx_pipeline()["nodes"]}
    assert weights["metadata"]["name"] == "rx_statistical"


def test_the_newer_form_names_the_file_of_the_pipeline(files):
    files.apply(training=NEWER)

    reply = files.save("mine/run.yaml")

    assert reply.pipeline_path == str(files.outputs / "mine" / "run_pipeline.yaml")
    assert reply.weights_path == str(files.outputs / "mine" / "run_pipeline.pt")
    content = yaml.safe_load(Path(reply.trainrun_path).read_text())
    assert content["pipeline"] == "run_pipeline.yaml"
    assert content["training"]["max_epochs"] == 3
    assert "trainer" not in content["training"]
    assert (
        yaml.safe_load(Path(reply.pipeline_path).read_text())["nodes"]
        == rx_pipeline(BANDS)["nodes"]
    )


@pytest.mark.parametrize("training", [OLDER, NEWER, None], ids=["older", "newer", "none"])
@pytest.mark.parametrize("sent", ["mine/run.yaml", "mine/run", "run.v2.yaml"])
def test_saved_files_are_found_by_the_path_that_was_sent(files, training, sent):
    files.apply(training=training)
    before = files.record()
    saved = files.save(sent)

    reply = files.restore(sent, weights_path=saved.weights_path)

    assert uuid.UUID(reply.session_id).version == 4
    assert reply.session_id != files.session_id
    restored = files.record(reply.session_id)
    for field in ("data_config_json", "training_config_json", "trainrun_config_json"):
        assert getattr(restored, field) == getattr(before, field)
    assert restored.pipeline.config_json == before.pipeline.config_json
    assert list(restored.search_paths) == [str(files.configs)]
    assert restored.run_id == ""
    assert has_the_weights(files, reply.session_id)


def test_saved_files_take_precedence_over_configs_of_the_same_name(files):
    files.apply()
    (files.configs / "trainrun").mkdir()
    (files.configs / "trainrun" / "run.yaml").write_text("defaults: [x]")
    files.save("trainrun/run.yaml")
    assert files.restore("trainrun/run.yaml").session_id


def test_saving_again_replaces_the_files(files):
    files.apply(training=OLDER)
    files.save("run.yaml")
    files.apply(training=OLDER | {"seed": 8})
    reply = files.save("run.yaml")
    assert yaml.safe_load(Path(reply.trainrun_path).read_text())["training"]["seed"] == 8
    assert {path.name for path in files.outputs.iterdir()} == {"run.yaml", "run.pt"}


def test_weights_are_saved_only_on_request(files):
    files.apply()
    reply = files.save("run.yaml", save_weights=False)
    assert reply.weights_path == ""
    assert {path.name for path in files.outputs.iterdir()} == {"run.yaml"}

    session_id = files.restore("run.yaml").session_id

    assert files.record(session_id).pipeline.weights_digest == ""
    assert fitted_nodes(files.pipeline(session_id)) == ()


def test_a_pipeline_saved_unfitted_is_restored_unfitted(files):
    files.apply(fitted=False)
    saved = files.save("run.yaml")
    session_id = files.restore("run.yaml", weights_path=saved.weights_path).session_id
    assert fitted_nodes(files.pipeline(session_id)) == ()


def test_the_newest_data_and_training_settings_are_saved(files):
    files.apply(training=OLDER)

    def train_elsewhere(record):
        record.data_config_json = b'{"cu3s_file_path":"other.npz","train_ids":[4]}'
        record.training_config_json = b'{"seed":9,"trainer":{"max_epochs":2}}'

    files.sessions.update(files.session_id, train_elsewhere)
    content = yaml.safe_load(Path(files.save("run").trainrun_path).read_text())
    assert (content["data"]["cu3s_file_path"], content["data"]["train_ids"]) == ("other.npz", [4])
    assert content["training"]["seed"] == 9


def test_a_session_without_a_trainrun_is_saved_with_placeholders(files):
    files.apply()

    def forget(record):
        record.data_config_json = record.trainrun_config_json = record.training_config_json = b""

    files.sessions.update(files.session_id, forget)
    content = yaml.safe_load(Path(files.save("run").trainrun_path).read_text())
    assert content["name"] == "rx"
    assert content["data"]["cu3s_file_path"] == ""
    assert content["training"]["max_epochs"] == 100
    assert files.restore("run").session_id


@pytest.mark.parametrize("path", ["", " ", "mine/", "..", "../run.yaml", "/etc/run.yaml"])
def test_forbidden_paths_are_refused(files, tmp_path, path):
    files.apply()
    refused(lambda: files.save(path), StatusCode.INVALID_ARGUMENT)
    refused(lambda: files.save(str(tmp_path / "run.yaml")), StatusCode.INVALID_ARGUMENT, "outside")
    assert not list(files.outputs.iterdir())


@pytest.mark.parametrize("name", ["run.yaml", "run.pt"])
def test_a_folder_of_the_same_name_is_not_replaced(files, name):
    files.apply()
    (files.outputs / name).mkdir()
    refused(lambda: files.save("run.yaml"), StatusCode.INVALID_ARGUMENT, "folder")


def test_saving_needs_a_session_and_a_pipeline(files):
    refused(lambda: files.save(session_id="nobody"), StatusCode.NOT_FOUND, "CreateSession")
    refused(files.save, StatusCode.FAILED_PRECONDITION, "SetTrainRunConfig")


def test_a_full_volume_leaves_no_trainrun(files):
    files.apply()
    with full_volume(files.outputs / "full") as folder:
        before = {path.name for path in folder.iterdir()}
        refused(lambda: files.save("full/run.yaml"), StatusCode.RESOURCE_EXHAUSTED, "full")
        assert {path.name for path in folder.iterdir()} == before


def test_every_way_to_specify_the_pipeline(files):
    files.write("inline.yaml", pipeline=rx_pipeline(BANDS))
    files.write("path.yaml", pipeline="one/rx.yaml")
    files.write("reference.yaml", pipeline={"config_path": "one/rx", "weights_path": "one/rx"})
    files.write("sibling.yaml")
    (files.outputs / "one").mkdir()
    for path in ("one/rx.yaml", "sibling_pipeline.yaml"):
        (files.outputs / path).write_text(yaml.safe_dump(rx_pipeline(BANDS)))
    (files.outputs / "one" / "rx.pt").write_bytes(write_published(fitted_pipeline(), {}))
    expected = build_pipeline(PipelineConfig.model_validate(rx_pipeline(BANDS))).config

    for form in ("inline", "path", "reference", "sibling"):
        reply = files.restore(files.outputs / f"{form}.yaml")

        pipeline = files.pipeline(reply.session_id)
        assert pipeline.config == expected, form
        assert fitted_nodes(pipeline) == (FITTED if form == "reference" else ())
        restored = json.loads(reply.trainrun.config_bytes)["pipeline"]
        assert restored == ("one/rx.yaml" if form == "path" else expected.to_dict())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("epoch=02.ckpt", checkpoint()),
        ("rx.safetensors", to_safetensors(fitted_pipeline())),
        ("rx.pt", write_published(fitted_pipeline(), {})),
    ],
)
@pytest.mark.parametrize("suffix_is_sent", [True, False])
def test_weights_in_every_form(files, name, content, suffix_is_sent):
    files.write("run.yaml", pipeline=rx_pipeline(BANDS))
    (files.outputs / name).write_bytes(content)
    sent = name if suffix_is_sent else name.rpartition(".")[0]
    reply = files.restore("run", weights_path=sent)
    assert has_the_weights(files, reply.session_id)


def test_weights_of_the_request_take_precedence_over_the_trainruns(files):
    other = fitted_pipeline()
    other.nodes["logit"].store("bias", torch.tensor(99.0))
    (files.outputs / "other.pt").write_bytes(write_published(other, {}))
    (files.outputs / "rx.yaml").write_text(yaml.safe_dump(rx_pipeline(BANDS)))
    (files.outputs / "best.ckpt").write_bytes(checkpoint())
    files.write("run.yaml", pipeline={"config_path": "rx.yaml", "weights_path": "other.pt"})
    assert has_the_weights(files, files.restore("run", weights_path="best").session_id)


def test_restoring_into_a_session(files):
    files.apply(training=OLDER)
    files.save("run.yaml")
    files.apply(training=OLDER | {"seed": 1}, pipeline=rx_pipeline(5), fitted=False)
    files.sessions.update(
        files.session_id, lambda record: record.search_paths.append(str(files.outputs))
    )
    opened = list(files.sessions.opened)

    reply = files.restore("run.yaml", session_id=files.session_id, weights_path="run.pt")

    assert reply.session_id == files.session_id
    assert files.sessions.opened == opened
    assert len(files.record().search_paths) == 2
    assert json.loads(files.record().training_config_json)["seed"] == 7
    assert has_the_weights(files, files.session_id)


def test_nothing_is_restored_during_a_training(files):
    files.apply()
    files.save("run.yaml")
    files.train()
    before = files.record()
    refused(
        lambda: files.restore("run.yaml", session_id=files.session_id),
        StatusCode.FAILED_PRECONDITION,
        "Wait until its Train stream ends",
    )
    assert files.record() == before
    assert files.restore("run.yaml").session_id != files.session_id


def _partial():
    content = io.BytesIO()
    torch.save(
        {"state_dict": {"logit": {"scale": torch.ones(()), "bias": torch.ones(())}}}, content
    )
    return content.getvalue()


@pytest.mark.parametrize(
    ("path", "fields", "code", "texts"),
    [
        ("", {}, "INVALID_ARGUMENT", ("empty",)),
        ("absent.yaml", {}, "NOT_FOUND", ("absent.yaml",)),
        ("/etc/passwd", {}, "INVALID_ARGUMENT", ("outside",)),
        ("../run.yaml", {}, "INVALID_ARGUMENT", ("outside",)),
        ("run", {"session_id": "nobody"}, "NOT_FOUND", ("CreateSession",)),
        ("run", {"weights_path": "absent.ckpt"}, "NOT_FOUND", ("absent.ckpt",)),
        ("run", {"weights_path": "/etc/shadow"}, "INVALID_ARGUMENT", ("outside",)),
        ("run", {"weights_path": "run.yaml"}, "INVALID_ARGUMENT", (".ckpt",)),
        ("run", {"weights_path": "empty.pt"}, "INVALID_ARGUMENT", ("empty",)),
        (
            "run",
            {"weights_path": "narrow.ckpt", "strict": False},
            "INVALID_ARGUMENT",
            ("detector.mu has shape [5], the pipeline's has [7]",),
        ),
        ("run", {"weights_path": "part"}, "INVALID_ARGUMENT", ("missing", "detector.mu")),
        ("open", {}, "INVALID_ARGUMENT", ("defaults", "ResolveConfig")),
        ("alone", {}, "INVALID_ARGUMENT", ("'pipeline'", "alone_pipeline.yaml")),
        ("bare", {}, "INVALID_ARGUMENT", ("trainrun 'bare'", "data")),
        ("nodata", {}, "INVALID_ARGUMENT", ("trainrun 'nodata'.data",)),
        ("extra", {}, "INVALID_ARGUMENT", ("unknown key", "loss_node")),
        ("list", {}, "INVALID_ARGUMENT", ("trainrun 'list' must be a mapping",)),
        ("broken", {}, "INVALID_ARGUMENT", ("trainrun 'broken' is not YAML", "line 2")),
        ("laughs", {}, "INVALID_ARGUMENT", ("more than 100000 values",)),
        ("unknown", {}, "INVALID_ARGUMENT", ("NoSuchNode",)),
        ("gone", {}, "NOT_FOUND", ("gone_pipeline.yaml",)),
    ],
)
def test_a_failed_restore_creates_no_session(files, path, fields, code, texts):
    unknown = rx_pipeline(BANDS)
    unknown["nodes"][1]["class_name"] = "cuvis_ai.node.NoSuchNode"
    files.write("run.yaml", pipeline=rx_pipeline(BANDS))
    files.write("open.yaml", defaults=["_self_"], pipeline=rx_pipeline(BANDS))
    files.write("alone.yaml")
    files.write("nodata.yaml", pipeline=rx_pipeline(BANDS), data={})
    files.write("extra.yaml", pipeline=rx_pipeline(BANDS), loss_node=["bce"])
    files.write("unknown.yaml", pipeline=unknown)
    files.write("gone.yaml", pipeline="gone_pipeline.yaml")
    laughs = "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n"
        for before, name in zip("abcdefg", "bcdefgh", strict=True)
    )
    for name, text in {
        "bare": "name: x\n",
        "list": "- 1\n",
        "broken": "a: 1\nb: ]\n",
        "laughs": f"a: &a [x, x, x, x, x, x, x, x, x, x]\n{laughs}",
    }.items():
        (files.outputs / f"{name}.yaml").write_text(text)
    (files.outputs / "narrow.ckpt").write_bytes(checkpoint(5))
    (files.outputs / "empty.pt").write_bytes(b"")
    (files.outputs / "part.pt").write_bytes(_partial())
    opened = list(files.sessions.opened)

    refused(lambda: files.restore(path, **fields), StatusCode[code], *texts)

    assert files.sessions.opened == opened


def test_incomplete_weights_are_accepted_on_request(files):
    files.write("run.yaml", pipeline=rx_pipeline(BANDS))
    (files.outputs / "part.pt").write_bytes(_partial())
    reply = files.restore("run", weights_path="part", strict=False)
    assert fitted_nodes(files.pipeline(reply.session_id)) == ("logit",)


def test_a_restored_trainrun_trains(client, settings):
    """Train, save, restore, compare the results and train again, in the assembled service."""
    client.apply()
    assert read(client.train())[1] is None
    saved = client.stub.SaveTrainRun(
        pb.SaveTrainRunRequest(
            session_id=client.session_id, trainrun_path="whole/run", save_weights=True
        ),
        timeout=CALL_WITHIN_S,
    )
    restored = client.stub.RestoreTrainRun(
        pb.RestoreTrainRunRequest(trainrun_path="whole/run", weights_path=saved.weights_path),
        timeout=CALL_WITHIN_S,
    )
    trained = client.session.pipeline
    client.session_id = restored.session_id
    assert client.session.pipeline == trained

    messages, error = read(client.train())

    assert error is None
    assert messages[-1].status == pb.TRAIN_STATUS_COMPLETE
    assert client.session.pipeline == trained
