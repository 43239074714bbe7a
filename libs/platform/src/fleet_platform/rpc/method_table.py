"""The gRPC handlers of one service, built from the descriptor of ``CuvisAIService``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import DecodeError

from fleet_platform.errors import InvalidInput
from fleet_platform.rpc.call import Call
from fleet_platform.rpc.service import Codec, Handler, Service
from fleet_platform.rpc.status import outcome
from fleet_platform.rpc.workers import WorkerPool, run_on
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2
from fleet_proto.headers import ANSWER_BYTES

_ONE_WRITE_BYTES = 16 * 1024

DESCRIPTOR = cuvis_ai_pb2.DESCRIPTOR.services_by_name["CuvisAIService"]


def method_table(
    service: Service, unary_pool: WorkerPool, stream_pool: WorkerPool
) -> grpc.GenericRpcHandler:
    """Return the handlers of all methods that the service owns.

    Messages are decoded and encoded inside the handler instead of by gRPC, so that malformed bytes
    pass through the same interceptors as all other errors.

    Args:
        service: Handlers and codecs by method name.
        unary_pool: Where unary calls run.
        stream_pool: Where streams run; each occupies a thread while it is open.

    Raises:
        ValueError: a method is not in the proto, not owned by this service, or owned but
            has no handler.
    """
    owned = frozenset(service.owned)
    wrong = (set(service.methods) - owned) | (owned - set(DESCRIPTOR.methods_by_name))
    wrong |= set(service.codecs) - set(service.methods)
    if wrong:
        raise ValueError(f"{service.name} does not own, or the wire does not have: {sorted(wrong)}")
    missing = owned - set(service.methods)
    if missing:
        raise ValueError(f"{service.name} has no handlers for: {sorted(missing)}")
    handlers = {}
    for name, handler in service.methods.items():
        method = DESCRIPTOR.methods_by_name[name]
        if method.server_streaming:
            handlers[name] = _stream(handler, _codec(service, method), stream_pool)
        else:
            handlers[name] = _unary(handler, _codec(service, method), unary_pool)
    return grpc.method_handlers_generic_handler(DESCRIPTOR.full_name, handlers)


def _unary(handler: Handler, codec: Codec, pool: WorkerPool) -> grpc.RpcMethodHandler[bytes, bytes]:
    def answer(raw: bytes, context: grpc.ServicerContext) -> bytes:
        _reject_late(context)
        answered = codec.encode(handler(codec.decode(raw), Call(context)))
        if len(answered) > _ONE_WRITE_BYTES:
            context.send_initial_metadata(((ANSWER_BYTES, str(len(answered))),))
        return answered

    return grpc.unary_unary_rpc_method_handler(run_on(pool, answer))


def _stream(
    handler: Handler, codec: Codec, pool: WorkerPool
) -> grpc.RpcMethodHandler[bytes, bytes]:
    def answer(raw: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        _reject_late(context)
        for response in handler(codec.decode(raw), Call(context)):
            yield codec.encode(response)

    return grpc.unary_stream_rpc_method_handler(run_on(pool, answer))


def _reject_late(context: grpc.ServicerContext) -> None:
    code = outcome(context)
    if code is not grpc.StatusCode.OK:
        context.abort(code, "The caller stopped waiting before a worker was free.")


def _codec(service: Service, method: MethodDescriptor) -> Codec:
    own = service.codecs.get(method.name)
    if own is not None:
        return own
    return Codec(decode=_decoder(method.input_type), encode=_encode)


def _decoder(message: Descriptor) -> Callable[[bytes], Any]:
    parse = message_factory.GetMessageClass(message).FromString

    def decode(raw: bytes) -> Any:
        try:
            return parse(raw)
        except DecodeError:
            raise InvalidInput(f"The request is not a {message.full_name} message.") from None

    return decode


def _encode(response: Any) -> bytes:
    raw: bytes = response.SerializeToString()
    return raw
