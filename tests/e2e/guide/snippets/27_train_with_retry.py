import time
import grpc

def train_with_retry(
    stub,
    session_id: str,
    trainer_type,
    max_retries: int = 3,
):
    """Train with retry logic and exponential backoff."""
    for attempt in range(max_retries):
        try:
            for progress in stub.Train(
                cuvis_ai_pb2.TrainRequest(
                    session_id=session_id,
                    trainer_type=trainer_type,
                )
            ):
                yield progress
            break  # Success

        except grpc.RpcError as e:
            if attempt < max_retries - 1:
                wait_time = 2 ** attempt  # Exponential backoff
                print(f"Retry {attempt + 1}/{max_retries} after {wait_time}s...")
                time.sleep(wait_time)
            else:
                print(f"Max retries reached. Error: {e.details()}")
                raise
