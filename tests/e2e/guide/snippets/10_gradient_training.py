# Run gradient training
for progress in stub.Train(
    cuvis_ai_pb2.TrainRequest(
        session_id=session_id,
        trainer_type=cuvis_ai_pb2.TRAINER_TYPE_GRADIENT,
    )
):
    stage = cuvis_ai_pb2.ExecutionStage.Name(progress.context.stage)
    status = cuvis_ai_pb2.TrainStatus.Name(progress.status)

    losses = dict(progress.losses) if progress.losses else {}
    metrics = dict(progress.metrics) if progress.metrics else {}

    print(f"[{stage}] {status} | losses={losses} | metrics={metrics}")
