"""The rate limit applies to each caller separately."""

import itertools
import time
from collections.abc import Iterator

import grpc

from fleet_platform.rpc import connect
from tests.integration.gateway.gateway_process import KEYS, gateway, received, serves
from tests.support.polling import wait_until

ALICE, BOB = {"x_api_key": "alice-has-this-key-0001"}, {"x_api_key": "bob-has-this-key-00001"}
BURST = 5


def _until_refused(
    channel: grpc.Channel, forged: Iterator[int] | None = None, **metadata: str
) -> tuple[int, grpc.RpcError]:
    """How many calls were answered before one was refused, and that refusal."""
    deadline = time.monotonic() + 30
    answered = 0
    while time.monotonic() < deadline:
        if forged is not None:
            metadata["x_fleet_address"] = metadata["x_forwarded_for"] = f"2001:db8::{next(forged)}"
        try:
            received(channel, **metadata)
        except grpc.RpcError as error:
            return answered, error
        answered += 1
    raise AssertionError(f"not refused after {answered} calls")


def test_each_caller_has_a_separate_limit(tmp_path):
    keys = tmp_path / "keys.yaml"
    keys.write_text(KEYS, encoding="utf-8")
    with (
        gateway(tmp_path / "run", api_keys_path=keys, calls_per_s=1, calls_burst=BURST) as running,
        connect(running.address) as calls,
    ):
        answered, refusal = _until_refused(calls, **ALICE)
        assert answered >= BURST
        assert refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "try again" in refusal.details()
        assert dict(refusal.trailing_metadata())["retry-after"] == "1"
        assert received(calls, **BOB)["x-fleet-caller"] == "bob"
        assert all(serves(calls) for _ in range(3 * BURST)), "health has no limit"
        wait_until(lambda: _answered(calls), "alice may call again")


def _answered(channel: grpc.Channel) -> bool:
    try:
        return bool(received(channel, **ALICE))
    except grpc.RpcError as error:
        return error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED


def test_without_authentication_an_address_is_a_caller(tmp_path):
    with (
        gateway(tmp_path, calls_per_s=1, calls_burst=BURST) as running,
        connect(running.address) as calls,
    ):
        answered, refusal = _until_refused(calls)
        assert answered >= BURST
        assert refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        # Another address in each call would have another bucket each.
        _, refusal = _until_refused(calls, itertools.count())
        assert refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
