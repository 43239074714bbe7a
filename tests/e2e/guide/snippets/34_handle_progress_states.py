for progress in stub.Train(...):
    status = cuvis_ai_pb2.TrainStatus.Name(progress.status)

    if status == "TRAIN_STATUS_RUNNING":
        # Update progress bar
        pass
    elif status == "TRAIN_STATUS_COMPLETED":
        # Training finished
        break
    elif status == "TRAIN_STATUS_FAILED":
        # Handle failure
        print(f"Training failed: {progress.error_message}")
        break
