"""Inference compared with an echo of the same bytes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from bench.echo_stack import EchoStack, echo_call
from bench.load import Budget, measure
from bench.result import Result, summarise
from bench.scene import cube, wavelengths_nm
from bench.session_calls import Stub
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

DECISIONS = ("decisions",)
ALL: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One cube size, one choice of outputs and one number of clients."""

    side: int
    output_specs: tuple[str, ...]
    clients: int
    budget: Budget

    @property
    def title(self) -> str:
        """The name in the table."""
        wanted = "all outputs" if self.output_specs == ALL else "decisions"
        return f"{self.side}x{self.side}x61 {wanted}"


CASES = (
    Case(32, DECISIONS, 1, Budget(400, 3.0)),
    Case(32, DECISIONS, 8, Budget(150, 4.0)),
    Case(32, ALL, 1, Budget(300, 3.0)),
    Case(32, ALL, 8, Budget(100, 4.0)),
    Case(256, DECISIONS, 1, Budget(60, 4.0)),
    Case(256, DECISIONS, 8, Budget(15, 6.0)),
    Case(256, ALL, 1, Budget(30, 4.0)),
    Case(256, ALL, 8, Budget(6, 6.0)),
    Case(1000, DECISIONS, 1, Budget(10, 8.0)),
    Case(1000, DECISIONS, 8, Budget(2, 8.0)),
    Case(1000, ALL, 1, Budget(3, 8.0)),
)
"""All outputs of the largest cube for eight clients would need more memory than machines have."""


def request_of(case: Case, session_id: str) -> pb.InferenceRequest:
    """Return the request as a client of the published packages builds it."""
    return pb.InferenceRequest(
        session_id=session_id,
        inputs=pb.InputBatch(
            cube=tensor_of(cube(case.side), pb.D_TYPE_UINT16),
            wavelengths=tensor_of(wavelengths_nm()[None], pb.D_TYPE_INT32),
        ),
        output_specs=case.output_specs,
    )


def compare(stub: Stub, echo: EchoStack, session_id: str, case: Case) -> Iterator[Result]:
    """Time the echo, directly and through Envoy, then Inference through the gateway."""
    request = request_of(case, session_id)
    reply_size_bytes = stub.Inference(request).ByteSize()
    content = request.SerializeToString()
    direct = echo_call(echo.direct, content, reply_size_bytes)
    relayed = echo_call(echo.through_envoy, content, reply_size_bytes)
    yield summarise(case.title, "echo", case.clients, measure(direct, case.clients, case.budget))
    floor = summarise(
        case.title, "echo, Envoy", case.clients, measure(relayed, case.clients, case.budget)
    )
    yield floor
    seconds = measure(lambda: stub.Inference(request), case.clients, case.budget)
    yield summarise(case.title, "Inference, Envoy", case.clients, seconds, floor)


def tensor_of(array: np.ndarray, dtype: "pb.DType.ValueType") -> pb.Tensor:
    """Return the message for an array."""
    return pb.Tensor(shape=array.shape, dtype=dtype, raw_data=array.tobytes())
