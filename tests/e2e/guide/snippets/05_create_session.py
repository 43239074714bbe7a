from workflow_utils import build_stub, create_session_with_search_paths

stub = build_stub("localhost:50051")
session_id = create_session_with_search_paths(stub)
