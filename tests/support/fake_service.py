"""A fake server that records its requests; each answer can be replaced."""

from collections import defaultdict
from concurrent import futures
from contextlib import contextmanager

import grpc

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import (
    CuvisAIServiceServicer,
    add_CuvisAIServiceServicer_to_server,
)

SESSION_ID = "0d6b8a52-6f6c-4f3c-9d3e-2b8a3a6d7c11"


class FakeService(CuvisAIServiceServicer):
    """Returns the entry of `answers` for each method.

    An answer is a message, several messages, a status and a text, or a function that returns one of
    these.
    """

    def __init__(self):
        self.answers = {
            "CreateSession": pb.CreateSessionResponse(session_id=SESSION_ID),
            "CloseSession": pb.CloseSessionResponse(success=True),
            "GetTrainStatus": pb.GetTrainStatusResponse(),
        }
        self.received = []
        self.traceparents = {}
        self.metadata = defaultdict(list)
        self.headers = ()
        self.trailers = ()
        self.sends_trace_id = True

    def requests(self, method):
        return [request for name, request in self.received if name == method]

    def answer(self, method, request, context):
        self.received.append((method, request))
        sent = dict(context.invocation_metadata())
        self.metadata[method].append(sent)
        context.send_initial_metadata(self.headers)
        trailers = ()
        if "traceparent" in sent:
            self.traceparents[method] = sent["traceparent"]
            if self.sends_trace_id:
                trailers = (("x-trace-id", sent["traceparent"].split("-")[1]),)
        context.set_trailing_metadata((*trailers, *self.trailers))
        answer = self.answers[method]
        if callable(answer):
            answer = answer()
        if isinstance(answer, tuple):
            context.abort(*answer)
        return answer


def _unary(method):
    return lambda self, request, context: self.answer(method, request, context)


def _stream(self, request, context):
    for message in self.answer("Train", request, context):
        if isinstance(message, tuple):
            context.abort(*message)
        yield message


for _method in pb.DESCRIPTOR.services_by_name["CuvisAIService"].methods:
    behaviour = _stream if _method.server_streaming else _unary(_method.name)
    setattr(FakeService, _method.name, behaviour)


@contextmanager
def serving(double):
    """The address at which it answers for the length of the block."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    add_CuvisAIServiceServicer_to_server(double, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=None).wait()
