"""Each row of the table is the exact answer of the product.

Rows are asked through the gateway, which returns a service's error unchanged: the exact text proves
both. Only where the gateway replies with the same codes itself, or retries the call, could it hide
what the service answers; there the service is asked, too.
"""

import grpc
import pytest

from fleet_proto.methods import SERVICE_NAME
from tests.e2e.errors.prepared_stack import (
    ENTRY_POINTS,
    GATEWAY,
    SERVICE_OF,
    PreparedStack,
    prepared_stack,
)
from tests.e2e.errors.row import Row
from tests.e2e.errors.rows.every_method import STORE_DOWN
from tests.e2e.errors.table import ASKED
from tests.support.case import DOWN, EXHAUSTED
from tests.support.wire import Refusal

pytestmark = pytest.mark.e2e

CODES_OF_THE_GATEWAY = {DOWN, EXHAUSTED}
CALLS = [
    (entry, row)
    for row in ASKED
    for entry in ENTRY_POINTS
    if entry == GATEWAY or row.code in CODES_OF_THE_GATEWAY
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, data_dir):
    """One stack for all rows."""
    with prepared_stack(tmp_path_factory.mktemp("errors"), data_dir) as opened:
        yield opened


@pytest.mark.parametrize("method", sorted(SERVICE_OF))
def test_bytes_that_are_no_message(prepared: PreparedStack, method: str) -> None:
    send = prepared.channels[GATEWAY].unary_unary(f"/{SERVICE_NAME}/{method}")
    with pytest.raises(grpc.RpcError) as caught:
        send(b"\x0a\xff", timeout=300)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f"is not a cuvis_ai.v1.{method}Request" in caught.value.details()


@pytest.mark.parametrize(("entry", "row"), CALLS, ids=[f"{row} ({entry})" for entry, row in CALLS])
def test_row(prepared: PreparedStack, entry: str, row: Row) -> None:
    refusal = prepared.refused(entry, row)
    expected = prepared.expected(row)
    assert refusal.code is expected.code, refusal
    assert expected.matches(refusal.text), refusal.text


@pytest.mark.parametrize("entry", ENTRY_POINTS)
def test_each_method_reports_that_the_store_is_down(prepared: PreparedStack, entry: str) -> None:
    refusals = prepared.all_refused(entry, STORE_DOWN)
    answers = {row.method: refusal for row, refusal in zip(STORE_DOWN, refusals, strict=True)}
    assert answers == {row.method: Refusal(row.code, row.text) for row in STORE_DOWN}
