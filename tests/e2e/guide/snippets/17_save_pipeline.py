save_response = stub.SavePipeline(
    cuvis_ai_pb2.SavePipelineRequest(
        session_id=session_id,
        pipeline_path="outputs/my_pipeline.yaml",
        metadata=cuvis_ai_pb2.PipelineMetadata(
            name="My Pipeline",
            description="Trained anomaly detection pipeline",
        ),
    )
)

print(f"Pipeline saved: {save_response.pipeline_path}")
print(f"Weights saved: {save_response.weights_path}")
