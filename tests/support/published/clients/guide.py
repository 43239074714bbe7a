"""The workflow of the guide's era: core 0.2.0, and the helpers of the examples of cuvis-ai 0.4.0.

Called as ``python guide.py ADDRESS DATA_FOLDER RESULT_FOLDER``, like `nested.py`, with the
examples' folder on the module path.
"""

from cuvis_ai_core.grpc import helpers
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2 as pb2
from cuvis_ai_schemas.training import TrainRunConfig
from nested import NestedWorkflow
from workflow import LIMIT, main
from workflow_utils import (
    apply_trainrun_config,
    build_stub,
    config_search_paths,
    create_session_with_search_paths,
    format_progress,
    resolve_trainrun_config,
)


class GuideWorkflow(NestedWorkflow):
    """A client that leaves to the published helpers what they are there for."""

    def connect(self):
        return build_stub(self.address, max_msg_size=LIMIT)

    def open_session(self, search_paths=()):
        return create_session_with_search_paths(self.stub, config_search_paths(search_paths))

    def resolve_trainrun(self, session_id, name, overrides):
        answer, content = resolve_trainrun_config(self.stub, session_id, name, overrides)
        trainrun = TrainRunConfig.from_proto(pb2.TrainRunConfig(config_bytes=answer.config_bytes))
        assert content["pipeline"]["metadata"]["name"] == trainrun.pipeline.metadata.name
        return trainrun

    def apply(self, session_id, trainrun):
        apply_trainrun_config(self.stub, session_id, trainrun.to_json().encode())

    def to_tensor(self, array):
        return helpers.numpy_to_proto(array)

    def to_array(self, tensor):
        return helpers.proto_to_numpy(tensor)

    def facts_of(self, message):
        return super().facts_of(message) | {"line": format_progress(message)}


if __name__ == "__main__":
    main(GuideWorkflow)
