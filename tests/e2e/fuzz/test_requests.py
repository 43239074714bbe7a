"""Whatever a request holds, the answer is one of the wire's and the next caller is served.

More than ten thousand examples in all by default. Ten thousand of each method, from a seed that can
be repeated:

    FUZZ_EXAMPLES=10000 python -m pytest tests/e2e/fuzz --hypothesis-seed=1

A failure prints the smallest request that shows it, and is tried first the next time.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from tests.e2e.fuzz.memory import assert_given_back, resident_bytes
from tests.e2e.fuzz.target import ANSWERS, METHODS, Target, attacked_stack
from tests.support.scenes.lentils_scene import Scene

pytestmark = pytest.mark.e2e

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "350"))
WARM_UP = 20
TIMEOUT_S = 900 + EXAMPLES


@pytest.fixture(scope="module")
def target(tmp_path_factory, data_dir: Path, scene: Scene) -> Iterator[Target]:
    with attacked_stack(tmp_path_factory.mktemp("fuzz"), data_dir, scene) as target:
        yield target


@pytest.fixture(scope="module")
def resident_before(target: Target) -> dict[str, int]:
    """Memory once everything was used that is loaded or allocated at its first use."""
    for method in sorted(METHODS):
        attack(target, method, WARM_UP)
    return resident_bytes(target.stack)


def attack(target: Target, method: str, examples: int) -> None:
    """Send random requests of one method; somebody else's call follows each."""

    @_examples(examples)
    @given(target.requests.of(getattr(pb2, f"{method}Request").DESCRIPTOR))
    def send(request: Message) -> None:
        if method == "CloseSession" and request.session_id == target.victim_id:
            request.session_id = target.calls.session()
        code = target.answer(method, request.SerializeToString())
        assert code in ANSWERS, request
        target.serve_the_bystander(METHODS[method])

    send()


def _examples(count: int) -> settings:
    return settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink),
    )


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize("method", sorted(METHODS))
def test_requests(target: Target, resident_before: Mapping[str, int], method: str) -> None:
    processes = target.process_ids()
    attack(target, method, EXAMPLES)
    assert target.process_ids() == processes
    assert_given_back(target.stack, resident_before)


@pytest.mark.timeout(TIMEOUT_S)
@pytest.mark.parametrize("method", ["Inference", "LoadPipeline", "ResolveConfig", "Train"])
def test_bytes_that_are_no_message(target: Target, method: str) -> None:
    @_examples(EXAMPLES)
    @given(st.binary(max_size=64))
    def send(raw: bytes) -> None:
        assert target.answer(method, raw) in ANSWERS
        target.serve_the_bystander(METHODS[method])

    send()
