from contextlib import contextmanager

@contextmanager
def grpc_session(stub):
    session_id = create_session_with_search_paths(stub)
    try:
        yield session_id
    finally:
        stub.CloseSession(
            cuvis_ai_pb2.CloseSessionRequest(session_id=session_id)
        )

# Usage
with grpc_session(stub) as session_id:
    # ... operations ...
    pass
# Session automatically closed
