"""Snippets of the guide's chapters Quick Start, gRPC Server Setup and gRPC Client Usage."""

from tests.e2e.guide.preludes import (
    IMPORTS,
    SCENE,
    SESSION,
    STUB,
    applied,
    fitted,
)
from tests.e2e.guide.snippet import Snippet

_START = "Quick Start / Basic Client Usage"
_PRODUCTION = "gRPC Server Setup / Production Configuration"
_SESSIONS = "gRPC Client Usage / Session Management"
_RESOLUTION = "gRPC Client Usage / Configuration Resolution"
_TRAINING = "gRPC Client Usage / Training Operations"
_INFERENCE = "gRPC Client Usage / Inference Operations"
_PIPELINES = "gRPC Client Usage / Pipeline Management"
_RESTORING = "gRPC Client Usage / Restore TrainRun"

_CLOSED = """
try:
    stub.GetTrainStatus(cuvis_ai_pb2.GetTrainStatusRequest(session_id=session_id))
except grpc.RpcError as error:
    afterwards = error.code().name
"""
"""Calls a session that must no longer exist."""

_ARRAYS = {
    "cube=...": "cube=helpers.numpy_to_proto(cube), wavelengths=helpers.numpy_to_proto(wavelengths)"
}
"""The printed code has only the cube, without a value."""
_SPECS = {
    "inputs_response.inputs.": "inputs_response.input_specs.",
    "outputs_response.outputs.": "outputs_response.output_specs.",
}
"""Every release has these fields in both messages; none has the printed ones."""

_SELECTOR_OUTPUTS = {
    "data.cube": [1, 32, 32, 61],
    "data.wavelengths": [61],
    "decider.decisions": [1, 32, 32, 1],
    "detector.scores": [1, 32, 32, 1],
    "logit.logits": [1, 32, 32, 1],
    "normalizer.normalized": [1, 32, 32, 61],
    "selector.selected": [1, 32, 32, 61],
    "selector.weights": [61],
}
_SHAPES = "{name: array.shape for name, array in results.items()}"
_RESULTS = "results = {k: helpers.proto_to_numpy(v) for k, v in response.outputs.items()}"
_DECIDED = (
    "((1 / (1 + np.exp(-results['logit.logits'])) >= 0.5) == results['decider.decisions']).all()"
)

CLIENT_USAGE = [
    Snippet(
        "01_basic_client_usage",
        _START,
        prelude=IMPORTS + SCENE,
        fills=_ARRAYS,
        refused=("FAILED_PRECONDITION", "no pipeline.*LoadPipeline or SetTrainRunConfig"),
        case="as printed: no pipeline yet",
    ),
    Snippet(
        "01_basic_client_usage",
        _START,
        prelude=fitted("pipeline/rx_statistical") + SCENE + "of_fitted = session_id\n",
        fills={
            **_ARRAYS,
            "session_id = response.session_id": "session_id = of_fitted",
        },
        then=_CLOSED,
        holds={
            "sorted(inference_response.outputs)": [
                "data.cube",
                "data.wavelengths",
                "decider.decisions",
                "detector.scores",
                "logit.logits",
                "normalizer.normalized",
            ],
            "afterwards": "NOT_FOUND",
        },
        case="with a pipeline",
    ),
    Snippet(
        "02_tls_secure_channel",
        _PRODUCTION,
        why_not="The first half opens a port of the reader's own server. This product's"
        " gateway takes its certificate from settings; the second half is 35_use_tls.",
    ),
    Snippet(
        "03_message_size_limits",
        _PRODUCTION,
        prelude=fitted("pipeline/rx_statistical"),
        then="""
cube = np.ones((1, 224, 224, 61), dtype=np.uint16)
wavelengths = np.linspace(430, 910, 61).reshape(1, -1).astype(np.int32)
response = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel).Inference(cuvis_ai_pb2.InferenceRequest(
    session_id=session_id, inputs=cuvis_ai_pb2.InputBatch(
        cube=helpers.numpy_to_proto(cube), wavelengths=helpers.numpy_to_proto(wavelengths)
    ),
))
cube_back = helpers.proto_to_numpy(response.outputs["data.cube"])
""",
        holds={"response.ByteSize() > 4 * 1024 * 1024": True, "(cube_back == cube).all()": True},
    ),
    Snippet(
        "04_workflow_utils",
        "gRPC Client Usage / Helper Utilities",
        then="""
stub = build_stub()
session_id = create_session_with_search_paths(stub)
resolved, config_dict = resolve_trainrun_config(
    stub, session_id, "rx_statistical", ["data.batch_size=3"]
)
apply_trainrun_config(stub, session_id, resolved.config_bytes)
progress = list(stub.Train(cuvis_ai_pb2.TrainRequest(
    session_id=session_id, trainer_type=cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL
)))
""",
        holds={
            "config_dict['name']": "rx_statistical",
            "config_dict['data']['batch_size']": 3,
            "progress[-1].status == cuvis_ai_pb2.TRAIN_STATUS_COMPLETE": True,
        },
    ),
    Snippet(
        "05_create_session",
        _SESSIONS,
        then="import uuid",
        holds={"uuid.UUID(session_id).version": 4},
    ),
    Snippet(
        "06_close_session",
        _SESSIONS,
        prelude=SESSION,
        then=_CLOSED,
        holds={"afterwards": "NOT_FOUND"},
    ),
    Snippet(
        "07_resolve_with_overrides",
        _RESOLUTION,
        prelude=SESSION,
        holds={
            "config_dict['data']['batch_size']": 4,
            "config_dict['training']['trainer']['max_epochs']": 10,
            "config_dict['training']['optimizer']['lr']": 0.001,
        },
    ),
    Snippet(
        "08_override_patterns",
        _RESOLUTION,
        prelude=SESSION,
        then="""
resolved, config_dict = resolve_trainrun_config(stub, session_id, "guide", overrides)
apply_trainrun_config(stub, session_id, resolved.config_bytes)
training, data = config_dict["training"], config_dict["data"]
hparams = {node["name"]: node["hparams"] for node in config_dict["pipeline"]["nodes"]}
""",
        holds={
            "training['trainer']['max_epochs']": 100,
            "training['optimizer']['lr'], training['optimizer']['weight_decay']": [0.001, 0.01],
            "training['scheduler']['patience']": 10,
            "data['batch_size'], data['train_ids'], data['val_ids']": [16, [0, 1, 2], [3, 4]],
            "hparams['channel_selector']['tau_start'], hparams['rx_detector']['eps']": [8.0, 1e-6],
        },
    ),
    Snippet(
        "09_statistical_training",
        f"{_TRAINING} / Statistical Training",
        prelude=applied("rx_statistical"),
        prints=(
            r"^\[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_RUNNING \| epoch=0 batch=0$",
            r"^\[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_COMPLETE \| epoch=1 batch=0\n\Z",
        ),
    ),
    Snippet(
        "10_gradient_training",
        f"{_TRAINING} / Gradient Training",
        prelude=applied("channel_selector", "training.trainer.max_epochs=1"),
        prints=(
            r"^\[EXECUTION_STAGE_VAL\] TRAIN_STATUS_RUNNING .*metrics={.*'metrics_anomaly/iou': ",
            r"^\[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_RUNNING \| losses={.*'bce'.*: \d",
            r"^\[EXECUTION_STAGE_TEST\] TRAIN_STATUS_RUNNING \| losses={.*'test_loss': \d",
            r"^\[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_COMPLETE \| losses={.*} \| metrics={.*}\n\Z",
        ),
    ),
    Snippet(
        "11_two_phase_training",
        f"{_TRAINING} / Two-Phase Training",
        prelude=applied("channel_selector", "training.trainer.max_epochs=1"),
        prints=(
            r"^\[Statistical Init\] \[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_COMPLETE",
            r"^\[Gradient Training\] \[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_RUNNING \| losses={",
            r"^\[Gradient Training\] \[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_COMPLETE.*\n\Z",
        ),
    ),
    Snippet(
        "12_basic_inference",
        _INFERENCE,
        prelude=fitted("pipeline/channel_selector"),
        holds={
            _SHAPES: _SELECTOR_OUTPUTS,
            "results['decider.decisions'].dtype.name": "bool",
            "results['detector.scores'].dtype.name": "float32",
            "(results['detector.scores'] >= 0).all()": True,
            "(results['data.cube'] == cube).all()": True,
            "(results['data.wavelengths'] == wavelengths[0]).all()": True,
            _DECIDED: True,
        },
        prints=(r"^Outputs: \[.*'decider.decisions'", r"^Decisions shape: \(1, 32, 32, 1\)$"),
    ),
    Snippet(
        "13_output_filtering",
        _INFERENCE,
        prelude=fitted("pipeline/channel_selector") + SCENE,
        fills={
            "cube=..., wavelengths=...": "cube=helpers.numpy_to_proto(cube),"
            " wavelengths=helpers.numpy_to_proto(wavelengths)"
        },
        then=_RESULTS,
        holds={
            _SHAPES: {
                name: _SELECTOR_OUTPUTS[name]
                for name in ("decider.decisions", "detector.scores", "selector.selected")
            },
        },
    ),
    Snippet(
        "14_batch_inference",
        _INFERENCE,
        prelude=fitted("pipeline/channel_selector"),
        holds={
            "len(dataset)": 7,
            "decisions.shape": [1, 32, 32, 1],
            "(helpers.proto_to_numpy(inference_response.outputs['data.cube'])"
            " == batch['cube'].numpy()).all()": True,
        },
    ),
    Snippet(
        "15_load_pipeline",
        _PIPELINES,
        prelude=SESSION,
        then="""
loaded = stub.GetPipelineOutputs(cuvis_ai_pb2.GetPipelineOutputsRequest(session_id=session_id))
""",
        holds={
            "sorted(loaded.output_names)": ["data.mask", "data.wavelengths", "decider.decisions"]
        },
    ),
    Snippet(
        "16_load_trained_weights",
        _PIPELINES,
        prelude=fitted("pipeline/channel_selector"),
        then="""
state = stub.SavePipeline(cuvis_ai_pb2.SavePipelineRequest(
    session_id=session_id, pipeline_path="outputs/loaded.yaml"
))
import torch

def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]["logit"]

loaded = weights(state.weights_path)
trained = weights(state.weights_path.replace("loaded", "my_experiment/weights"))
""",
        holds={"loaded == trained": True, "'scale' in trained": True},
    ),
    Snippet(
        "17_save_pipeline",
        _PIPELINES,
        prelude=fitted("pipeline/rx_statistical"),
        then="""
from pathlib import Path

import torch
import yaml

saved = yaml.safe_load(Path(save_response.pipeline_path).read_text())
weights = torch.load(save_response.weights_path, weights_only=True)
""",
        holds={
            "saved['metadata']['name']": "My Pipeline",
            "saved['metadata']['description']": "Trained anomaly detection pipeline",
            "[node['name'] for node in saved['nodes']]": [
                "data",
                "normalizer",
                "detector",
                "logit",
                "decider",
            ],
            "weights['state_dict']['detector']['mu'].shape": [61],
        },
        prints=(
            r"^Pipeline saved: /.*/outputs/my_pipeline\.yaml$",
            r"^Weights saved: /.*/outputs/my_pipeline\.pt\n\Z",
        ),
    ),
    Snippet(
        "18_pipeline_specifications",
        _PIPELINES,
        prelude=fitted("pipeline/rx_statistical"),
        fills=_SPECS,
        prints=(
            r"^Input: cube \| dtype=D_TYPE_\w+ \| shape=\[-1, -1, -1, -1\]$",
            r"^Output: decider.decisions \| dtype=D_TYPE_BOOL \| shape=\[-1, -1, -1, 1\]$",
        ),
    ),
    Snippet(
        "19_restore_trainrun",
        _RESTORING,
        prelude=STUB,
        then="trainrun = json.loads(restore_response.trainrun.config_bytes)",
        holds={
            "trainrun['name']": "my_experiment",
            "trainrun['training']['trainer']['max_epochs']": 1,
        },
        prints=(r"^Restored session: [0-9a-f-]{36}\n\Z",),
    ),
    Snippet(
        "20_continue_training",
        _RESTORING,
        prelude=STUB,
        prints=(
            r"^\[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_RUNNING \| losses={.*Epoch 1/1 complete$",
            r"^\[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_COMPLETE.*\n\Z",
        ),
    ),
]
