import json

import pytest
import yaml

from fleet_engine import build_pipeline
from fleet_engine.plugins import PluginLoader
from fleet_engine.weights import from_safetensors, state_of, write_published
from fleet_platform.errors import InvalidInput, NotFound, OutOfOrder
from fleet_platform.files import PathPolicy
from fleet_platform.testing import MemoryArtifactStore, MemoryRunStore, MemorySessionStore
from fleet_proto.records.v1.records_pb2 import Pipeline, RunRecord, SessionRecord
from fleet_schemas import PipelineConfig
from fleet_trainer.trainruns import setup
from fleet_trainer.trainruns.setup import TrainRunSetup
from tests.support.scenes.rx_scene import rx_pipeline, trainrun


class _Trainer:
    def __init__(self, folder):
        self.folder = folder
        self.sessions = MemorySessionStore(ttl_s=60.0)
        self.artifacts = MemoryArtifactStore()
        self.runs = MemoryRunStore()
        paths = PathPolicy(
            working_dir=folder,
            configs_dir=folder / "configs",
            data_dir=folder / "data",
            output_dir=folder / "outputs",
        )
        self.setup = TrainRunSetup(
            sessions=self.sessions,
            artifacts=self.artifacts,
            plugins=PluginLoader(self.artifacts, allowed=False),
            runs=self.runs,
            paths=paths,
        )
        for name in ("configs", "data", "outputs"):
            (folder / name).mkdir()
        self.sessions.create(
            SessionRecord(
                format_version=1, session_id="session", search_paths=[str(folder / "configs")]
            )
        )

    @property
    def session(self):
        return self.sessions.read("session")

    def load(self, digest="old", weights="w"):
        pipeline = Pipeline(config_json=b"{}", config_digest=digest, weights_digest=weights)
        self.sessions.update("session", lambda record: record.pipeline.CopyFrom(pipeline))

    def apply(self, **changes):
        return self.setup.apply("session", trainrun("a.npz", **changes))


@pytest.fixture
def trainer(tmp_path):
    return _Trainer(tmp_path)


def test_an_inline_pipeline_becomes_the_sessions_with_initial_weights(trainer):
    trainer.load()

    assert trainer.apply() is True

    pipeline = trainer.session.pipeline
    names = [node["name"] for node in json.loads(pipeline.config_json)["nodes"]]
    assert names == ["data", "normalizer", "detector", "logit", "decider"]
    assert pipeline.weights_digest == ""


def test_all_settings_are_stored_and_the_pipeline_only_once(trainer):
    trainer.apply(training={"seed": 7}, loss_nodes=["bce"], tags={"who": "me"})

    session = trainer.session
    rest = json.loads(session.trainrun_config_json)
    assert json.loads(session.data_config_json)["train_ids"] == [0, 1, 2]
    assert json.loads(session.training_config_json)["seed"] == 7
    assert rest["loss_nodes"] == ["bce"]
    assert "pipeline" not in rest


def test_a_trainrun_without_training_clears_the_previous_one(trainer):
    trainer.apply(training={"seed": 7})
    trainer.apply()

    assert trainer.session.training_config_json == b""


def test_a_trainrun_without_a_pipeline_keeps_the_sessions_pipeline_and_weights(trainer):
    trainer.load()

    assert trainer.apply(pipeline=None) is False
    assert trainer.session.pipeline.weights_digest == "w"


def test_a_missing_pipeline_names_the_call_to_make(trainer):
    with pytest.raises(OutOfOrder, match="LoadPipeline"):
        trainer.apply(pipeline=None)


@pytest.mark.parametrize("text", ["pipeline/rx.yaml", "pipeline/rx", "configs/pipeline/rx.yaml"])
def test_a_pipeline_is_found_by_its_path(trainer, text):
    folder = trainer.folder / "configs" / "pipeline"
    folder.mkdir()
    (folder / "rx.yaml").write_text(yaml.safe_dump(rx_pipeline()))

    assert trainer.apply(pipeline=text) is True
    assert b"RXGlobal" in trainer.session.pipeline.config_json


def test_weights_named_with_the_pipeline_are_loaded(trainer):
    donor = build_pipeline(PipelineConfig.model_validate(rx_pipeline()))
    donor.nodes["logit"].bias.fill_(4.25)
    (trainer.folder / "configs" / "rx.yaml").write_text(yaml.safe_dump(rx_pipeline()))
    (trainer.folder / "configs" / "rx.pt").write_bytes(write_published(donor, {}))

    trainer.apply(pipeline={"config_path": "rx.yaml", "weights_path": "rx"})

    loaded = build_pipeline(PipelineConfig.model_validate(rx_pipeline()))
    from_safetensors(loaded, trainer.artifacts.get(trainer.session.pipeline.weights_digest))
    assert state_of(loaded)["logit"]["bias"] == 4.25


@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"pipeline": "nowhere.yaml"}, NotFound, "nowhere.yaml"),
        ({"pipeline": "/etc/passwd"}, InvalidInput, "outside the folders"),
        ({"pipeline": "../secret.yaml"}, (InvalidInput, NotFound), "secret"),
        ({"pipeline": "broken.yaml"}, InvalidInput, r"'broken.yaml' is not YAML: .* at line 3"),
        ({"pipeline": "list.yaml"}, InvalidInput, "'list.yaml' must be a mapping"),
        ({"pipeline": "binary.yaml"}, InvalidInput, "'binary.yaml' is not UTF-8"),
        (
            {"pipeline": {"config_path": "rx.yaml", "weights_path": "list.yaml"}},
            InvalidInput,
            "weights",
        ),
        ({"pipeline": rx_pipeline() | {"nodes": []}}, InvalidInput, "normalizer|data"),
        ({"data": {}}, InvalidInput, "cu3s_file_path"),
    ],
)
def test_a_trainrun_that_cannot_be_applied_changes_nothing(trainer, changes, error, text):
    trainer.load()
    before = trainer.session
    configs = trainer.folder / "configs"
    (configs / "broken.yaml").write_text("a: 1\nb: [")
    (configs / "list.yaml").write_text("- 1")
    (configs / "binary.yaml").write_bytes(b"\x00\xff\xfe")
    (configs / "rx.yaml").write_text(yaml.safe_dump(rx_pipeline()))

    with pytest.raises(error, match=text):
        trainer.apply(**changes)

    assert trainer.session == before


def test_nothing_is_replaced_while_a_training_is_active(trainer):
    trainer.load()
    trainer.runs.create(RunRecord(format_version=1, run_id="run", session_id="session"))
    trainer.sessions.update("session", lambda record: setattr(record, "run_id", "run"))

    with pytest.raises(OutOfOrder, match="A training run is active"):
        trainer.apply()
    assert trainer.session.pipeline.config_digest == "old"


def test_a_training_that_starts_at_the_same_time_wins(trainer, monkeypatch):
    trainer.load()
    stored = setup.stored_pipeline

    def launch_then_store(*given, **options):
        trainer.runs.create(RunRecord(format_version=1, run_id="run", session_id="session"))
        trainer.sessions.update("session", lambda record: setattr(record, "run_id", "run"))
        return stored(*given, **options)

    monkeypatch.setattr(setup, "stored_pipeline", launch_then_store)

    with pytest.raises(OutOfOrder, match="A training run is active"):
        trainer.apply()


def test_an_unknown_session_is_reported_before_its_settings(trainer):
    with pytest.raises(NotFound, match="CreateSession"):
        trainer.setup.apply("nobody", b"{")
