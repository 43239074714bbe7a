from workflow_utils import (
    build_stub, create_session_with_search_paths,
    resolve_trainrun_config, apply_trainrun_config, format_progress
)
from cuvis_ai_core.grpc import cuvis_ai_pb2

# Connect to server
stub = build_stub("localhost:50051")

# Create session
session_id = create_session_with_search_paths(stub)

# Resolve trainrun config
resolved, config_dict = resolve_trainrun_config(
    stub,
    session_id,
    "rx_statistical",
    overrides=[
        "data.batch_size=4",
        "training.trainer.max_epochs=1",
        "training.seed=42",
    ],
)

# Apply config
apply_trainrun_config(stub, session_id, resolved.config_bytes)

# Run statistical training
print("Running statistical training...")
for progress in stub.Train(
    cuvis_ai_pb2.TrainRequest(
        session_id=session_id,
        trainer_type=cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL,
    )
):
    print(format_progress(progress))

# Clean up
stub.CloseSession(cuvis_ai_pb2.CloseSessionRequest(session_id=session_id))
print("Done!")
