# Run statistical training (streaming progress)
for progress in stub.Train(
    cuvis_ai_pb2.TrainRequest(
        session_id=session_id,
        trainer_type=cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL,
    )
):
    stage = cuvis_ai_pb2.ExecutionStage.Name(progress.context.stage)
    status = cuvis_ai_pb2.TrainStatus.Name(progress.status)
    epoch = progress.context.epoch
    batch = progress.context.batch_idx

    print(f"[{stage}] {status} | epoch={epoch} batch={batch}")

    if progress.metrics:
        metrics = dict(progress.metrics)
        print(f"  Metrics: {metrics}")
