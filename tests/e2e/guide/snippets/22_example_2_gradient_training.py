from workflow_utils import (
    build_stub, create_session_with_search_paths,
    resolve_trainrun_config, apply_trainrun_config, format_progress
)
from cuvis_ai_core.grpc import cuvis_ai_pb2

stub = build_stub("localhost:50051")
session_id = create_session_with_search_paths(stub)

# Resolve gradient trainrun
resolved, config_dict = resolve_trainrun_config(
    stub,
    session_id,
    "deep_svdd",
    overrides=[
        "training.trainer.max_epochs=5",
        "training.optimizer.lr=0.0005",
        "training.optimizer.weight_decay=0.005",
    ],
)
apply_trainrun_config(stub, session_id, resolved.config_bytes)

# Statistical initialization
print("Statistical initialization...")
for progress in stub.Train(
    cuvis_ai_pb2.TrainRequest(
        session_id=session_id,
        trainer_type=cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL,
    )
):
    print(format_progress(progress))

# Gradient training
print("Gradient training...")
for progress in stub.Train(
    cuvis_ai_pb2.TrainRequest(
        session_id=session_id,
        trainer_type=cuvis_ai_pb2.TRAINER_TYPE_GRADIENT,
    )
):
    print(format_progress(progress))

stub.CloseSession(cuvis_ai_pb2.CloseSessionRequest(session_id=session_id))
