"""The workflow of the newest release: core 0.18.6, helpers and configs of cuvis-ai 0.19.3.

Called as ``python newest.py ADDRESS DATA_FOLDER RESULT_FOLDER``, like `flat.py`.
"""

import json

from cuvis_ai.utils.grpc_workflow import (
    CONFIG_ROOT,
    apply_trainrun_config,
    build_stub,
    config_search_paths,
    create_session_with_search_paths,
    format_progress,
    inline_pipeline_ref,
    load_manifest_bytes,
    resolve_trainrun_config,
)
from cuvis_ai_core.grpc import helpers
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2 as pb2
from cuvis_ai_schemas.pipeline import PipelineConfig
from cuvis_ai_schemas.training import TrainRunConfig
from flat import PLUGIN, FlatWorkflow
from workflow import LIMIT, main

DOCUMENTED_OVERRIDES = [
    "training.max_epochs=50",
    "training.optimizer.lr=0.0005",
    "data.batch_size=8",
]


class NewestWorkflow(FlatWorkflow):
    """A client that leaves to the published helpers what they are there for."""

    def connect(self):
        return build_stub(self.address, max_msg_size=LIMIT)

    def open_session(self, search_paths=()):
        return create_session_with_search_paths(
            self.stub, config_search_paths([self.configs, *search_paths])
        )

    def pipeline(self, name):
        self.discover(PipelineConfig, f"anomaly/rx/{name}")
        return PipelineConfig.load_from_file(
            CONFIG_ROOT / "pipeline" / "anomaly" / "rx" / f"{name}.yaml"
        )

    def manifest(self):
        return load_manifest_bytes(CONFIG_ROOT / "plugins" / f"{PLUGIN}.yaml")

    def load_plugin(self, session_id):
        super().load_plugin(session_id)
        answer = self.call(
            "LoadPlugin",
            session_id=session_id,
            manifest=pb2.PluginManifest(
                config_bytes=load_manifest_bytes(
                    CONFIG_ROOT / "plugins" / "cuvis_ai_dataloader.yaml"
                )
            ),
        )
        assert not answer.error, answer.error

    def resolve_trainrun(self, session_id, name, overrides=()):
        answer, _ = resolve_trainrun_config(self.stub, session_id, name, list(overrides))
        return TrainRunConfig.from_proto(pb2.TrainRunConfig(config_bytes=answer.config_bytes))

    def apply(self, session_id, trainrun):
        content = inline_pipeline_ref(trainrun.to_dict(), trainrun_dir=self.configs / "trainrun")
        apply_trainrun_config(self.stub, session_id, json.dumps(content).encode())

    def to_tensor(self, array):
        return helpers.numpy_to_proto(array)

    def to_array(self, tensor):
        with helpers.proto_to_numpy(tensor) as array:
            return array

    def facts_of(self, message):
        return super().facts_of(message) | {"line": format_progress(message)}

    def work(self):
        super().work()
        session_id = self.open_prepared()
        self.calibrate(session_id)
        self.apply_as_documented(session_id)
        self.close(session_id)

    def calibrate(self, session_id):
        """Restore the saved trainrun and calibrate its thresholds again."""
        trainrun_path, _, weights_path = self.facts["saved_trainrun"]
        self.call(
            "RestoreTrainRun",
            session_id=session_id,
            trainrun_path=trainrun_path,
            weights_path=weights_path,
        )
        self.train(session_id, pb2.TRAINER_TYPE_CALIBRATION, name="calibration")

    def apply_as_documented(self, session_id):
        """Resolve and apply a trainrun that the server has, as the deployment guide does."""
        answer, content = resolve_trainrun_config(
            self.stub, session_id, "deep_svdd", DOCUMENTED_OVERRIDES
        )
        applied = apply_trainrun_config(self.stub, session_id, answer.config_bytes)
        self.facts["documented"] = [content["pipeline"]["metadata"]["name"], applied.success]


if __name__ == "__main__":
    main(NewestWorkflow)
