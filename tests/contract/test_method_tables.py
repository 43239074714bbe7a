"""The tables of methods agree with the proto, the gateway and the client."""

import grpc

from cuvis_fleet.transport import call_policy
from fleet_gateway import RetryMode, retry_mode_of
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2
from fleet_proto.methods import METHODS_BY_SERVICE, NOT_IDEMPOTENT, STREAMING

METHODS = {name for names in METHODS_BY_SERVICE.values() for name in names}


def test_the_streaming_methods_are_those_of_the_proto():
    service = cuvis_ai_pb2.DESCRIPTOR.services_by_name["CuvisAIService"]
    assert {method.name for method in service.methods if method.server_streaming} == STREAMING


def test_every_method_that_is_not_idempotent_exists():
    assert METHODS >= NOT_IDEMPOTENT


def test_the_gateway_repeats_what_is_idempotent_and_answered_at_once():
    unsent = {name for name in METHODS if retry_mode_of(name) is RetryMode.UNSENT}
    assert unsent == NOT_IDEMPOTENT | STREAMING


def test_the_client_repeats_what_is_idempotent():
    policy = call_policy.CallPolicy("host:1", False, None, call_policy.RetryPolicy())
    policy.was_reached = True

    class BrokenOff(grpc.RpcError):
        def code(self):
            return grpc.StatusCode.UNAVAILABLE

        def details(self):
            return "Socket closed"

        def trailing_metadata(self):
            return ()

    def repeats(method):
        try:
            policy.attempts(method).pause_s(BrokenOff())
        except Exception:
            return False
        return True

    assert {name for name in METHODS if not repeats(name)} == NOT_IDEMPOTENT
