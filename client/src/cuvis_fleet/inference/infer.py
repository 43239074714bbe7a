"""The inference operation."""

from collections.abc import Callable

from cuvis_fleet.errors import CuvisFleetError
from cuvis_fleet.inference.reply import decode_outputs
from cuvis_fleet.inference.request import InferenceRequest
from cuvis_fleet.inference.shared_memory import SharedMemory
from cuvis_fleet.models.result import Result
from cuvis_fleet.operations.operation import Call, Operation, Reply, method_path


def infer(
    session_id: str, create_request: Callable[[], InferenceRequest], memory: SharedMemory
) -> Operation[Result]:
    """Run the pipeline; large arrays go through shared memory if the server supports it.

    Args:
        session_id: the session whose pipeline runs.
        create_request: creates the request, which copies arrays that need conversion.
        memory: shared memory for large arrays.
    """
    request = create_request()
    arrays = memory.worth_placing(request)
    if not arrays:
        return _result((yield _inference(request.serialised(session_id))))
    with memory.placed(arrays) as places:
        if places:
            try:
                reply = yield _inference(request.serialised(session_id, places))
            except CuvisFleetError as error:
                if not memory.may_be_at_fault(error):
                    raise
            else:
                memory.confirm()
                return _result(reply)
    reply = yield _inference(request.serialised(session_id))
    if places:
        memory.disable()
    return _result(reply)


def _inference(request: bytes) -> Call:
    return Call(method_path("Inference"), request, decode_outputs)


def _result(reply: Reply) -> Result:
    arrays, metrics = reply.value
    return Result(arrays, metrics, reply.trace_id)
