"""Session ids that are guessed, on every method that takes one."""

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.methods import METHODS_BY_SERVICE
from tests.support.case import MISSING, Case, Fields

_IDS = {
    "guessed": ("0c9cd1b5-5f4f-4b43-a8f5-3c9a0a0e0c0d", "0c9cd1b5-5f4f-4b43-a8f5-3c9a0a0e0c0d"),
    "empty": ("", "(session_id is empty)"),
    "of 5000": ("s" * 5000, f"{'s' * 80}..."),
    "with NUL": ("a\0b", "a?b"),
    "with a pattern": ("*", "*"),
    "with an escape": ("../sessions/x\r\nDEL *", "../sessions/x??DEL *"),
}
_OPTIONAL = frozenset({"RestoreTrainRun", "GetPipelineVisualization", "ListAvailableNodes"})
_METHODS = [
    method
    for methods in METHODS_BY_SERVICE.values()
    for method in sorted(methods)
    if "session_id" in getattr(pb2, f"{method}Request").DESCRIPTOR.fields_by_name
]


def _fields(method: str, session_id: str) -> Fields:
    more = {"weights_path": "x.pt"} if method == "LoadPipelineWeights" else {}
    return {"session_id": session_id, **more}


CASES = [
    Case(
        f"a session {name}",
        method,
        lambda method=method, session_id=session_id: _fields(method, session_id),
        MISSING,
        f"Session {shown} not found. Sessions expire after 1 h without a call; create a new one "
        "with CreateSession.",
    )
    for method in _METHODS
    for name, (session_id, shown) in _IDS.items()
    if session_id or method not in _OPTIONAL
]
