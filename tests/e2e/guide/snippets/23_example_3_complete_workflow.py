from workflow_utils import (
    build_stub, create_session_with_search_paths,
    resolve_trainrun_config, apply_trainrun_config, format_progress
)
from cuvis_ai_core.grpc import cuvis_ai_pb2, helpers
import numpy as np

stub = build_stub("localhost:50051")
session_id = create_session_with_search_paths(stub)

# 1. Resolve and apply config
resolved, config_dict = resolve_trainrun_config(
    stub, session_id, "channel_selector",
    overrides=["training.trainer.max_epochs=3"],
)
apply_trainrun_config(stub, session_id, resolved.config_bytes)

# 2. Train pipeline
print("Training pipeline...")
for progress in stub.Train(
    cuvis_ai_pb2.TrainRequest(
        session_id=session_id,
        trainer_type=cuvis_ai_pb2.TRAINER_TYPE_GRADIENT,
    )
):
    print(format_progress(progress))

# 3. Save pipeline
save_response = stub.SavePipeline(
    cuvis_ai_pb2.SavePipelineRequest(
        session_id=session_id,
        pipeline_path="outputs/my_pipeline.yaml",
    )
)
print(f"Saved: {save_response.pipeline_path}, {save_response.weights_path}")

# 4. Run inference
cube = np.random.rand(1, 32, 32, 61).astype(np.float32)
wavelengths = np.linspace(430, 910, 61).reshape(1, -1).astype(np.int32)

inference = stub.Inference(
    cuvis_ai_pb2.InferenceRequest(
        session_id=session_id,
        inputs=cuvis_ai_pb2.InputBatch(
            cube=helpers.numpy_to_proto(cube),
            wavelengths=helpers.numpy_to_proto(wavelengths),
        ),
    )
)

results = {
    name: helpers.proto_to_numpy(tensor_proto)
    for name, tensor_proto in inference.outputs.items()
}
print(f"Inference outputs: {list(results.keys())}")

# 5. Clean up
stub.CloseSession(cuvis_ai_pb2.CloseSessionRequest(session_id=session_id))
