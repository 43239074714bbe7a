import json

# Resolve pipeline config
pipeline_config = stub.ResolveConfig(
    cuvis_ai_pb2.ResolveConfigRequest(
        session_id=session_id,
        config_type="pipeline",
        path="pipeline/rx_statistical",
        overrides=[],
    )
)

# Load pipeline
stub.LoadPipeline(
    cuvis_ai_pb2.LoadPipelineRequest(
        session_id=session_id,
        pipeline=cuvis_ai_pb2.PipelineConfig(
            config_bytes=pipeline_config.config_bytes
        ),
    )
)
