"""Code that the guide assumes to have run before a snippet.

The parts build on each other and use only the published library and the published
``workflow_utils``.
"""

IMPORTS = """
import grpc
import json
import numpy as np
from cuvis_ai_core.grpc import cuvis_ai_pb2, cuvis_ai_pb2_grpc, helpers
from workflow_utils import (
    apply_trainrun_config, build_stub, create_session_with_search_paths, format_progress,
    resolve_trainrun_config,
)
"""

STUB = IMPORTS + 'stub = build_stub("localhost:50051")\n'

SESSION = STUB + "session_id = create_session_with_search_paths(stub)\n"

SCENE = """
cube = np.random.default_rng(7).integers(0, 4000, (1, 32, 32, 61)).astype(np.uint16)
wavelengths = np.linspace(430, 910, 61).reshape(1, -1).astype(np.int32)
"""
"""Input arrays of an inference, with the names that the guide uses."""


def applied(trainrun: str, *overrides: str) -> str:
    """Return code that opens a session with an untrained trainrun."""
    return f"""{SESSION}
resolved, config_dict = resolve_trainrun_config(stub, session_id, {trainrun!r}, {list(overrides)})
apply_trainrun_config(stub, session_id, resolved.config_bytes)
"""


def fitted(pipeline: str) -> str:
    """Return code that opens a session and fits a pipeline with the node names of the guide."""
    return f"""{SESSION}
def _resolved(config_type, path):
    return stub.ResolveConfig(cuvis_ai_pb2.ResolveConfigRequest(
        session_id=session_id, config_type=config_type, path=path
    )).config_bytes

stub.LoadPipeline(cuvis_ai_pb2.LoadPipelineRequest(
    session_id=session_id,
    pipeline=cuvis_ai_pb2.PipelineConfig(config_bytes=_resolved("pipeline", {pipeline!r})),
))
for progress in stub.Train(cuvis_ai_pb2.TrainRequest(
    session_id=session_id,
    trainer_type=cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL,
    data=cuvis_ai_pb2.DataConfig(config_bytes=_resolved("data", "data/lentils")),
)):
    pass
"""


MY_EXPERIMENT = (
    applied("my_experiment")
    + """
for progress in stub.Train(cuvis_ai_pb2.TrainRequest(
    session_id=session_id, trainer_type=cuvis_ai_pb2.TRAINER_TYPE_GRADIENT
)):
    pass
folder = "outputs/my_experiment"
stub.SaveTrainRun(cuvis_ai_pb2.SaveTrainRunRequest(
    session_id=session_id, trainrun_path=f"{folder}/trainrun.yaml"
))
for name in ("pipeline", "weights"):
    stub.SavePipeline(cuvis_ai_pb2.SavePipelineRequest(
        session_id=session_id, pipeline_path=f"{folder}/{name}.yaml"
    ))
"""
)
"""Creates the files below ``outputs/my_experiment`` that the guide uses."""
