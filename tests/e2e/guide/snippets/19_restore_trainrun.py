restore_response = stub.RestoreTrainRun(
    cuvis_ai_pb2.RestoreTrainRunRequest(
        trainrun_path="outputs/my_experiment/trainrun.yaml",
        weights_path="outputs/my_experiment/weights.pt",  # optional
        strict=True,
    )
)

print(f"Restored session: {restore_response.session_id}")
