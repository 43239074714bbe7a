# Request specific outputs only
response = stub.Inference(
    cuvis_ai_pb2.InferenceRequest(
        session_id=session_id,
        inputs=cuvis_ai_pb2.InputBatch(cube=..., wavelengths=...),
        output_specs=[
            "selector.selected",
            "detector.scores",
            "decider.decisions",
        ],
    )
)
