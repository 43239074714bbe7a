"""Snippets of the guide's chapters Error Handling & Retries, Best Practices and Troubleshooting."""

from tests.e2e.guide.preludes import IMPORTS, SCENE, SESSION, STUB, applied, fitted
from tests.e2e.guide.snippet import Snippet

_CODES = "Error Handling & Retries / gRPC Error Codes"
_RETRIES = "Error Handling & Retries / Retry Logic with Exponential Backoff"
_HEALTH = "Error Handling & Retries / Health Checks"
_SESSIONS = "Best Practices / 1. Session Management"
_ERRORS = "Best Practices / 3. Error Handling"
_PROGRESS = "Best Practices / 5. Streaming Progress"
_MEMORY = "Troubleshooting / CUDA Out of Memory"

_CREATE = "request = cuvis_ai_pb2.CreateSessionRequest()\n"
_NO_SERVER = IMPORTS + 'stub = build_stub("localhost:1")\n'
_INFER = {"stub.CreateSession(request)": "stub.Inference(request)"}
_LOAD_WEIGHTS = {"stub.CreateSession(request)": "stub.LoadPipelineWeights(request)"}

_WAVELENGTHS_ONLY = (
    fitted("pipeline/rx_statistical")
    + SCENE
    + """
request = cuvis_ai_pb2.InferenceRequest(session_id=session_id, inputs=cuvis_ai_pb2.InputBatch(
    wavelengths=helpers.numpy_to_proto(wavelengths)
))
"""
)
_FLAT_CUBE = (
    fitted("pipeline/rx_statistical")
    + SCENE
    + """
request = cuvis_ai_pb2.InferenceRequest(session_id=session_id, inputs=cuvis_ai_pb2.InputBatch(
    cube=helpers.numpy_to_proto(cube[0, 0]), wavelengths=helpers.numpy_to_proto(wavelengths)
))
"""
)
_CUBE = """
request = cuvis_ai_pb2.InferenceRequest(session_id=session_id, inputs=cuvis_ai_pb2.InputBatch(
    cube=helpers.numpy_to_proto(cube), wavelengths=helpers.numpy_to_proto(wavelengths)
))
"""
_NO_WEIGHTS = """
request = cuvis_ai_pb2.LoadPipelineWeightsRequest(
    session_id=session_id, weights_path="outputs/my_experiment/none.pt"
)
"""
_CHECK_CLOSED = """
gone = []
for session_id in sessions:
    try:
        stub.GetTrainStatus(cuvis_ai_pb2.GetTrainStatusRequest(session_id=session_id))
    except grpc.RpcError as error:
        gone.append(error.code().name)
"""
_RECORDED = """
sessions = []
_create = create_session_with_search_paths

def create_session_with_search_paths(stub):
    sessions.append(_create(stub))
    return sessions[-1]
"""
"""Records the sessions that a snippet opens."""

_SESSION_ANSWERS = {
    "len(stub.CreateSession(cuvis_ai_pb2.CreateSessionRequest()).session_id)": 36,
}

BEST_PRACTICES = [
    Snippet(
        "26_error_codes",
        _CODES,
        prelude=STUB + _CREATE,
        holds={"len(response.session_id)": 36},
        prints=(r"\A\Z",),
        case="no error",
    ),
    Snippet(
        "26_error_codes",
        _CODES,
        prelude=_NO_SERVER + _CREATE,
        prints=(r"\AServer unavailable: ",),
        case="no server",
    ),
    Snippet(
        "26_error_codes",
        _CODES,
        prelude=_WAVELENGTHS_ONLY,
        fills=_INFER,
        prints=(r"\AInvalid request: .*cube",),
        case="missing cube",
    ),
    Snippet(
        "26_error_codes",
        _CODES,
        prelude=_FLAT_CUBE,
        fills=_INFER,
        prints=(r"\AInvalid request: .*cube.*\[32, 61\]",),
        case="invalid shape",
    ),
    Snippet(
        "26_error_codes",
        _CODES,
        prelude=STUB + SCENE + 'session_id = "00000000-0000-4000-8000-000000000000"\n' + _CUBE,
        fills=_INFER,
        prints=(r"\AResource not found: .*00000000-0000-4000-8000-000000000000",),
        case="unknown session",
    ),
    Snippet(
        "26_error_codes",
        _CODES,
        prelude=fitted("pipeline/rx_statistical") + _NO_WEIGHTS,
        fills=_LOAD_WEIGHTS,
        prints=(r"\AResource not found: .*'outputs/my_experiment/none\.pt' not found",),
        case="unknown checkpoint path",
    ),
    Snippet(
        "26_error_codes",
        _CODES,
        prelude=SESSION + SCENE + _CUBE,
        fills=_INFER,
        prints=(r"\AOperation not allowed: .*Call LoadPipeline",),
        case="inference before loading",
    ),
    Snippet(
        "27_train_with_retry",
        _RETRIES,
        prelude=applied("rx_statistical"),
        then="""
progress = list(train_with_retry(stub, session_id, cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL))
""",
        holds={
            "progress[-1].status == cuvis_ai_pb2.TRAIN_STATUS_COMPLETE": True,
            "len([each for each in progress if each.status == progress[-1].status])": 1,
        },
        prints=(r"\A\Z",),
        case="nothing to retry",
    ),
    Snippet(
        "27_train_with_retry",
        _RETRIES,
        prelude=SESSION,
        then="""
list(train_with_retry(stub, session_id, cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL, max_retries=2))
""",
        prints=(
            r"\ARetry 1/2 after 1s\.\.\.$",
            r"^Max retries reached\. Error: .*SetTrainRunConfig.*\n\Z",
        ),
        refused=("FAILED_PRECONDITION", "SetTrainRunConfig"),
        case="rejected each time",
    ),
    Snippet(
        "28_health_check",
        _HEALTH,
        prelude=IMPORTS,
        then='elsewhere = check_server_health("localhost:1")',
        holds={"elsewhere": False},
        prints=(r"\AServer is healthy\n\Z",),
    ),
    Snippet(
        "29_always_close_sessions",
        _SESSIONS,
        prelude=STUB + _RECORDED,
        then=_CHECK_CLOSED,
        holds={"gone": ["NOT_FOUND"]},
    ),
    Snippet(
        "30_session_context_manager",
        _SESSIONS,
        prelude=STUB + _RECORDED,
        then="""
try:
    with grpc_session(stub):
        raise KeyboardInterrupt
except KeyboardInterrupt:
    pass
"""
        + _CHECK_CLOSED,
        holds={"gone": ["NOT_FOUND", "NOT_FOUND"]},
    ),
    Snippet(
        "31_message_size_agreement",
        "Best Practices / 2. Message Size Configuration",
        prelude=IMPORTS,
        holds=_SESSION_ANSWERS,
    ),
    Snippet(
        "32_catch_specific_errors",
        _ERRORS,
        prelude=fitted("pipeline/rx_statistical")
        + SCENE
        + _CUBE
        + 'stub = build_stub("localhost:50051", max_msg_size=100_000)\n',
        prints=(r"\AMessage too large\. Reduce batch size or increase limits\.\n\Z",),
        case="too large",
    ),
    Snippet(
        "32_catch_specific_errors",
        _ERRORS,
        prelude=_NO_SERVER + 'session_id = ""\n' + SCENE + _CUBE,
        prints=(r"\AServer unavailable\. Check connection and retry\.\n\Z",),
        case="no server",
    ),
    Snippet(
        "32_catch_specific_errors",
        _ERRORS,
        prelude=SESSION + SCENE + _CUBE,
        prints=(r"\A\Z",),
        refused=("FAILED_PRECONDITION", "LoadPipeline"),
        case="another error",
    ),
    Snippet(
        "33_structured_overrides",
        "Best Practices / 4. Configuration Overrides",
        prelude=SESSION,
        then='resolve_trainrun_config(stub, session_id, "rx_statistical", overrides)',
        refused=("INVALID_ARGUMENT", "'max_epochs=100'.*Did you mean training.trainer.max_epochs"),
    ),
    Snippet(
        "34_handle_progress_states",
        _PROGRESS,
        prelude=applied("rx_statistical"),
        fills={
            "stub.Train(...)": "stub.Train(cuvis_ai_pb2.TrainRequest("
            "session_id=session_id, trainer_type=cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL))"
        },
        # No release has COMPLETED or FAILED: the loop ends because the stream ends.
        holds={"status": "TRAIN_STATUS_COMPLETE"},
        prints=(r"\A\Z",),
    ),
    Snippet(
        "35_use_tls",
        "Best Practices / 6. Production Deployment",
        prelude=IMPORTS,
        then="stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)",
        holds=_SESSION_ANSWERS,
    ),
    Snippet(
        "36_message_size_exceeded",
        "Troubleshooting / Message Size Exceeded",
        prelude=IMPORTS,
        then="""
session_id = create_session_with_search_paths(stub)
_, config_dict = resolve_trainrun_config(stub, session_id, "rx_statistical", overrides)
""",
        holds={"config_dict['data']['batch_size']": 1},
    ),
    Snippet(
        "37_keep_alive",
        "Troubleshooting / Session Expired",
        prelude=fitted("pipeline/rx_statistical"),
        then="""
keeper = threading.Thread(target=keep_alive, args=(stub, session_id, 0.01), daemon=True)
keeper.start()
keeper.join(0.2)
keeps = keeper.is_alive()
stub.CloseSession(cuvis_ai_pb2.CloseSessionRequest(session_id=session_id))
keeper.join(30.0)
""",
        holds={"keeps": True, "keeper.is_alive()": False},
    ),
    Snippet(
        "38_out_of_memory",
        _MEMORY,
        prelude=SESSION,
        fills={
            "stub.CloseSession(...)": "closed = stub.CloseSession("
            "cuvis_ai_pb2.CloseSessionRequest(session_id=session_id))"
        },
        holds={"closed.success": True, "overrides": ["data.batch_size=1"]},
    ),
    Snippet(
        "39_connection_timeout",
        "Troubleshooting / Connection Timeout",
        prelude=IMPORTS,
        then="stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)",
        holds=_SESSION_ANSWERS,
    ),
]
