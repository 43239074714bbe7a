import threading
import time

def keep_alive(stub, session_id, interval=300):
    """Send periodic heartbeat to keep session alive."""
    while True:
        time.sleep(interval)
        try:
            stub.GetPipelineInputs(
                cuvis_ai_pb2.GetPipelineInputsRequest(session_id=session_id)
            )
        except grpc.RpcError:
            break  # Session closed or expired
