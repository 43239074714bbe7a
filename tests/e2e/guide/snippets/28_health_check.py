def check_server_health(server_address: str = "localhost:50051") -> bool:
    """Check if server is healthy."""
    try:
        stub = build_stub(server_address)
        response = stub.CreateSession(cuvis_ai_pb2.CreateSessionRequest())
        stub.CloseSession(
            cuvis_ai_pb2.CloseSessionRequest(session_id=response.session_id)
        )
        return True
    except grpc.RpcError:
        return False

# Usage
if not check_server_health():
    print("Server is not available!")
else:
    print("Server is healthy")
