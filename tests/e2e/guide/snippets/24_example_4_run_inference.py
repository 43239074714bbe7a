from workflow_utils import build_stub, create_session_with_search_paths
from cuvis_ai_core.grpc import cuvis_ai_pb2, helpers
from cuvis_ai.datamodule.cu3s_dataset import SingleCu3sDataset
from torch.utils.data import DataLoader
from pathlib import Path

def run_inference(
    pipeline_path: Path,
    weights_path: Path,
    cu3s_file_path: Path,
    server_address: str = "localhost:50051",
):
    stub = build_stub(server_address, max_msg_size=600 * 1024 * 1024)
    session_id = create_session_with_search_paths(stub)

    # Resolve pipeline config
    pipeline_config = stub.ResolveConfig(
        cuvis_ai_pb2.ResolveConfigRequest(
            session_id=session_id,
            config_type="pipeline",
            path=str(pipeline_path),
            overrides=[],
        )
    )

    # Load pipeline and weights
    stub.LoadPipeline(
        cuvis_ai_pb2.LoadPipelineRequest(
            session_id=session_id,
            pipeline=cuvis_ai_pb2.PipelineConfig(
                config_bytes=pipeline_config.config_bytes
            ),
        )
    )

    stub.LoadPipelineWeights(
        cuvis_ai_pb2.LoadPipelineWeightsRequest(
            session_id=session_id,
            weights_path=str(weights_path),
            strict=True,
        )
    )

    # Load data
    dataset = SingleCu3sDataset(
        cu3s_file_path=str(cu3s_file_path),
        processing_mode="Reflectance",
    )
    dataloader = DataLoader(dataset, batch_size=1)

    # Run inference
    print(f"Running inference on {len(dataset)} samples...")
    for batch in dataloader:
        inference_response = stub.Inference(
            cuvis_ai_pb2.InferenceRequest(
                session_id=session_id,
                inputs=cuvis_ai_pb2.InputBatch(
                    cube=helpers.tensor_to_proto(batch["cube"]),
                    wavelengths=helpers.tensor_to_proto(batch["wavelengths"]),
                ),
            )
        )

        # Process outputs
        decisions = helpers.proto_to_numpy(
            inference_response.outputs["decider.decisions"]
        )
        print(f"Sample decisions: {decisions.shape}")

    stub.CloseSession(cuvis_ai_pb2.CloseSessionRequest(session_id=session_id))

if __name__ == "__main__":
    run_inference(
        pipeline_path=Path("outputs/my_experiment/pipeline.yaml"),
        weights_path=Path("outputs/my_experiment/weights.pt"),
        cu3s_file_path=Path("data/Lentils/Lentils_000.cu3s"),
    )
