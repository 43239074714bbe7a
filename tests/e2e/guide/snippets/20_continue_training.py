# Restore trainrun
restore_response = stub.RestoreTrainRun(
    cuvis_ai_pb2.RestoreTrainRunRequest(
        trainrun_path="outputs/my_experiment/trainrun.yaml",
        weights_path="outputs/my_experiment/checkpoints/epoch=10.ckpt",
    )
)

# Continue training
for progress in stub.Train(
    cuvis_ai_pb2.TrainRequest(
        session_id=restore_response.session_id,
        trainer_type=cuvis_ai_pb2.TRAINER_TYPE_GRADIENT,
    )
):
    print(format_progress(progress))
