"""The workflow of a release since 0.8.0, whose trainruns name their pipeline by path.

The settings of the training loop are on the level of the seed, data is a module with splits, and
pipelines name plugins. ``python flat.py ADDRESS DATA_FOLDER RESULT_FOLDER`` writes configs below
DATA_FOLDER, which client and server share. RESULT_FOLDER receives the outputs of inference as
``.npz``, and the other replies of the service as ``facts.json``.
"""

from pathlib import Path

from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2 as pb2
from cuvis_ai_schemas.pipeline import PipelineConfig
from cuvis_ai_schemas.plugin import GitPluginSource, PluginCapabilityEntry
from cuvis_ai_schemas.training import (
    DataConfig,
    DataSplitConfig,
    OptimizerConfig,
    Selector,
    TrainingConfig,
    TrainRunConfig,
)
from workflow import EPOCHS, FOREIGN_PATHS, LEARNING_RATE, SEED, Workflow, main

CUBES = "data/Lentils/Lentils_000.cu3s"
SPLITS = {"train": [0, "2-3"], "val": [1, 5], "test": [1, 5]}
OVERRIDES = ["data.batch_size=4", "training.seed=123", "training.max_epochs=3"]
PLUGIN = "cuvis_ai_builtin"
PIPELINES = ("rx_statistical", "channel_selector")


class FlatWorkflow(Workflow):
    """A client of the second generation."""

    @property
    def configs(self):
        return self.data_folder / self.folder.name

    def pipeline(self, name):
        """A pipeline as the release writes it down."""
        found = self.discover(PipelineConfig, f"anomaly/rx/{name}")
        return PipelineConfig(
            plugins=[PLUGIN],
            nodes=found.nodes,
            connections=found.connections,
            metadata=found.metadata,
        )

    def manifest(self):
        paths = {node.class_name for name in PIPELINES for node in self.read_pipeline(name).nodes}
        return (
            GitPluginSource(
                name=PLUGIN,
                repo="https://example.org/cuvis-ai.git",
                tag="v1.2.3",
                capabilities=[PluginCapabilityEntry(class_name=path) for path in sorted(paths)],
            )
            .to_json()
            .encode()
        )

    def write_configs(self):
        """One trainrun and one pipeline of each name."""
        lists = {
            "loss_nodes": ["bce"],
            "unfreeze_nodes": ["SoftChannelSelector", "RXGlobal", "ScoreToLogit"],
        }
        for name in PIPELINES:
            self.pipeline(name).save_to_file(self.configs / "pipeline" / f"{name}.yaml")
            trainrun = TrainRunConfig(
                name=name,
                pipeline=f"../pipeline/{name}.yaml",
                data=data(),
                training=training(),
                metric_nodes=["metrics_anomaly"],
                **(lists if name == "channel_selector" else {}),
            )
            trainrun.save_to_file(self.configs / "trainrun" / f"{name}.yaml")

    def read_pipeline(self, name):
        return PipelineConfig.load_from_file(self.configs / "pipeline" / f"{name}.yaml")

    def load_plugin(self, session_id):
        answer = self.call(
            "LoadPlugin",
            session_id=session_id,
            manifest=pb2.PluginManifest(config_bytes=self.manifest()),
        )
        assert not answer.error, answer.error
        self.facts["registered"] = [answer.registered_plugin]

    def resolve_trainrun(self, session_id, name, overrides=()):
        config_bytes = self.resolve(session_id, "trainrun", f"trainrun/{name}", overrides)
        return TrainRunConfig.from_proto(pb2.TrainRunConfig(config_bytes=config_bytes))

    def apply(self, session_id, trainrun):
        """Load the pipeline that a trainrun names, then the trainrun without it."""
        pipeline = PipelineConfig.load_from_file(self.configs / "trainrun" / trainrun.pipeline)
        self.load(
            session_id,
            pipeline.to_proto().config_bytes,
            data_module=trainrun.data.data_module,
        )
        rest = trainrun.model_copy(update={"pipeline": None})
        self.call("SetTrainRunConfig", session_id=session_id, config=rest.to_proto())

    def open_prepared(self):
        session_id = self.open_session([*FOREIGN_PATHS, str(self.configs)])
        self.load_plugin(session_id)
        return session_id

    def work(self):
        self.write_configs()
        session_id = self.open_prepared()
        self.list_plugins(session_id, PLUGIN)
        self.list_nodes(session_id, lambda value: value)
        trainrun = self.resolve_trainrun(session_id, "rx_statistical", OVERRIDES)
        self.facts["resolved"] = {
            "batch_size": trainrun.data.batch_size,
            "train_ids": trainrun.data.splits.train[0].ids,
            "seed": trainrun.training.seed,
            "max_epochs": trainrun.training.max_epochs,
            "pipeline": trainrun.pipeline,
        }
        self.check("trainrun", trainrun)
        self.check("pipeline", self.read_pipeline("rx_statistical"))
        self.apply(session_id, trainrun)
        self.train(session_id, pb2.TRAINER_TYPE_STATISTICAL)
        self.look_inside(session_id)
        self.infer(session_id, "all")
        self.infer(session_id, "decisions", specs=["decisions"])
        self.profile(session_id)
        pipeline, saved = self.save(session_id)
        written = TrainRunConfig.load_from_file(saved.trainrun_path)
        self.facts["written"] = {
            "pipeline": written.pipeline,
            "seed": written.training.seed,
            "train_ids": written.data.splits.train[0].ids,
            "titles": [
                PipelineConfig.load_from_file(path).metadata.name
                for path in (pipeline.pipeline_path, saved.pipeline_path)
            ],
        }
        second = self.open_prepared()
        self.reload(second, pipeline, self.load)
        restored = self.restore(saved)
        self.train_gradient(second)
        self.close(session_id, second, restored)

    def restore(self, saved):
        fields = {}
        if "session_id" in pb2.RestoreTrainRunRequest.DESCRIPTOR.fields_by_name:
            fields["session_id"] = self.open_prepared()
        answer = self.call(
            "RestoreTrainRun",
            trainrun_path=saved.trainrun_path,
            weights_path=saved.weights_path,
            strict=True,
            **fields,
        )
        self.facts["restored_into"] = answer.session_id == fields.get("session_id")
        self.facts["restored"] = TrainRunConfig.from_proto(answer.trainrun).training.seed
        self.infer(answer.session_id, "restored")
        return answer.session_id

    def train_gradient(self, session_id):
        """Train weights, with settings that the request brings along."""
        self.apply(session_id, self.resolve_trainrun(session_id, "channel_selector"))
        self.train(session_id, pb2.TRAINER_TYPE_STATISTICAL, name="fitting")
        settings = training()
        self.check("training", settings)
        self.train(
            session_id, pb2.TRAINER_TYPE_GRADIENT, name="gradient", training=settings.to_proto()
        )
        self.infer(session_id, "gradient")
        if hasattr(self.stub, "StopTrain"):
            endless = settings.model_copy(update={"max_epochs": 10_000})
            self.stop_training(session_id, training=endless.to_proto())


def data():
    """The measurements of the workflow, in the form of the release."""
    splits = {
        name: [Selector(kind="file_indices", source=CUBES, ids=ids)] for name, ids in SPLITS.items()
    }
    params = {
        "cu3s_file_path": CUBES,
        "annotation_json_path": str(Path(CUBES).with_suffix(".json")),
        "processing_mode": "Reflectance",
    }
    return DataConfig(
        data_module="cu3s", splits=DataSplitConfig(**splits), batch_size=2, params=params
    )


def training():
    """Settings of a short training."""
    return TrainingConfig(
        seed=SEED, optimizer=OptimizerConfig(name="adamw", lr=LEARNING_RATE), max_epochs=EPOCHS
    )


if __name__ == "__main__":
    main(FlatWorkflow)
