stub.CloseSession(cuvis_ai_pb2.CloseSessionRequest(session_id=session_id))
