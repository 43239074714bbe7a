"""The workflow of a release up to 0.5.2, whose trainruns hold all that they need.

The pipeline is inline in the trainrun, the training loop's settings under `training.trainer`.
Called as ``python nested.py ADDRESS DATA_FOLDER RESULT_FOLDER``; writes what inference gave as
``.npz`` and everything else that the service said as ``facts.json``.
"""

from pathlib import Path

import yaml
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2 as pb2
from cuvis_ai_schemas.plugin import GitPluginConfig, PluginManifest
from cuvis_ai_schemas.training import (
    OptimizerConfig,
    PipelineConfig,
    TrainerConfig,
    TrainingConfig,
    TrainRunConfig,
)
from workflow import EPOCHS, LEARNING_RATE, SEED, Workflow, main

OVERRIDES = ["data.batch_size=4", "training.seed=123", "training.trainer.max_epochs=3"]
RX = "cuvis_ai.anomaly.rx_detector.RXGlobal"


class NestedWorkflow(Workflow):
    """A client of the first generation."""

    def resolve_trainrun(self, session_id, name, overrides):
        config_bytes = self.resolve(session_id, "trainrun", f"trainrun/{name}", overrides)
        return TrainRunConfig.from_proto(pb2.TrainRunConfig(config_bytes=config_bytes))

    def apply(self, session_id, trainrun):
        self.call("SetTrainRunConfig", session_id=session_id, config=trainrun.to_proto())

    def load_plugin(self, session_id):
        provided = RX if hasattr(pb2.NodeInfo.InputSpecsEntry().value, "specs") else _entry(RX)
        plugin = GitPluginConfig(
            repo="https://example.org/lab.git", tag="v1.2.3", provides=[provided]
        )
        manifest = PluginManifest(plugins={"lab_nodes": plugin})
        answer = self.call(
            "LoadPlugins",
            session_id=session_id,
            manifest=pb2.PluginManifest(config_bytes=manifest.model_dump_json().encode()),
        )
        (loaded,) = (field.name for field in answer.DESCRIPTOR.fields if field.number == 1)
        self.facts["registered"] = list(getattr(answer, loaded))
        self.list_plugins(session_id, "lab_nodes")

    def work(self):
        self.discover(PipelineConfig, "anomaly/rx/rx_statistical")
        session_id = self.open_session()
        trainrun = self.resolve_trainrun(session_id, "rx_statistical", OVERRIDES)
        self.facts["resolved"] = {
            "batch_size": trainrun.data.batch_size,
            "train_ids": trainrun.data.train_ids,
            "seed": trainrun.training.seed,
            "max_epochs": trainrun.training.trainer.max_epochs,
            "title": trainrun.pipeline.metadata.name,
        }
        self.check("trainrun", trainrun)
        self.check("pipeline", trainrun.pipeline)
        self.apply(session_id, trainrun)
        self.train(session_id, pb2.TRAINER_TYPE_STATISTICAL)
        self.look_inside(session_id)
        self.infer(session_id, "all")
        self.infer(session_id, "decisions", specs=["decisions"])
        if hasattr(self.stub, "SetProfiling"):
            self.profile(session_id)
        pipeline, saved = self.save(session_id)
        written = TrainRunConfig.load_from_file(saved.trainrun_path)
        self.facts["written"] = {
            "title": written.pipeline.metadata.name,
            "seed": written.training.seed,
            "pipeline": PipelineConfig.from_dict(
                yaml.safe_load(Path(pipeline.pipeline_path).read_text(encoding="utf-8"))
            ).metadata.name,
        }
        self.load_plugin(session_id)
        self.list_nodes(session_id, _port)
        second = self.open_session()
        self.reload(second, pipeline, self.load)
        restored = self.restore(saved)
        self.train_gradient(second)
        self.close(session_id, second, restored)

    def restore(self, saved):
        answer = self.call(
            "RestoreTrainRun",
            trainrun_path=saved.trainrun_path,
            weights_path=saved.weights_path,
            strict=True,
        )
        self.facts["restored"] = TrainRunConfig.from_proto(answer.trainrun).training.seed
        self.infer(answer.session_id, "restored")
        return answer.session_id

    def train_gradient(self, session_id):
        """Train weights, with settings that the request brings along."""
        trainrun = self.resolve_trainrun(session_id, "channel_selector", [])
        self.apply(session_id, trainrun)
        self.train(session_id, pb2.TRAINER_TYPE_STATISTICAL, name="fitting")
        training = TrainingConfig(
            seed=SEED,
            optimizer=OptimizerConfig(name="adamw", lr=LEARNING_RATE),
            trainer=TrainerConfig(max_epochs=EPOCHS),
        )
        self.check("training", training)
        self.train(
            session_id, pb2.TRAINER_TYPE_GRADIENT, name="gradient", training=training.to_proto()
        )
        self.infer(session_id, "gradient")


def _entry(class_name):
    """An object of the catalogue that releases since 0.5.0 have in place of a class's path."""
    from cuvis_ai_schemas.catalog import CatalogNodeEntry

    return CatalogNodeEntry(class_name=class_name)


def _port(value):
    return value.specs[0] if hasattr(value, "specs") else value


if __name__ == "__main__":
    main(NestedWorkflow)
