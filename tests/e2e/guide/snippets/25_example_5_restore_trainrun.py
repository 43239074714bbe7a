from workflow_utils import build_stub, create_session_with_search_paths, format_progress
from cuvis_ai_core.grpc import cuvis_ai_pb2
from pathlib import Path
from typing import Literal

def restore_trainrun_grpc(
    trainrun_path: Path,
    mode: Literal["info", "train", "validate", "test"] = "info",
    weights_path: Path | None = None,
    server_address: str = "localhost:50051",
):
    stub = build_stub(server_address)
    session_id = create_session_with_search_paths(stub)

    # Restore trainrun
    restore_response = stub.RestoreTrainRun(
        cuvis_ai_pb2.RestoreTrainRunRequest(
            trainrun_path=str(trainrun_path),
            weights_path=str(weights_path) if weights_path else None,
            strict=True,
        )
    )

    if mode == "info":
        # Display pipeline info
        inputs = stub.GetPipelineInputs(
            cuvis_ai_pb2.GetPipelineInputsRequest(session_id=session_id)
        )
        outputs = stub.GetPipelineOutputs(
            cuvis_ai_pb2.GetPipelineOutputsRequest(session_id=session_id)
        )

        print("Pipeline Inputs:")
        for name, spec in inputs.inputs.items():
            print(f"  {name}: {cuvis_ai_pb2.DType.Name(spec.dtype)} {spec.shape}")

        print("Pipeline Outputs:")
        for name, spec in outputs.outputs.items():
            print(f"  {name}: {cuvis_ai_pb2.DType.Name(spec.dtype)} {spec.shape}")

    elif mode == "train":
        # Continue training
        print("Continuing training...")
        for progress in stub.Train(
            cuvis_ai_pb2.TrainRequest(
                session_id=session_id,
                trainer_type=cuvis_ai_pb2.TRAINER_TYPE_GRADIENT,
            )
        ):
            print(format_progress(progress))

    stub.CloseSession(cuvis_ai_pb2.CloseSessionRequest(session_id=session_id))

if __name__ == "__main__":
    restore_trainrun_grpc(
        trainrun_path=Path("outputs/my_experiment/trainrun.yaml"),
        mode="train",
        weights_path=Path("outputs/my_experiment/checkpoints/epoch=10.ckpt"),
    )
