session_id = None
try:
    session_id = create_session_with_search_paths(stub)
    # ... operations ...
finally:
    if session_id:
        stub.CloseSession(
            cuvis_ai_pb2.CloseSessionRequest(session_id=session_id)
        )
