"""Each row of the table is told by the service, and by the gateway, in its very words."""

import grpc
import pytest

from fleet_proto.methods import SERVICE_NAME
from tests.e2e.errors.prepared_stack import DOORS, SERVICE_OF, Stage, open_stage
from tests.e2e.errors.row import Row
from tests.e2e.errors.rows.every_method import STORE_DOWN
from tests.e2e.errors.table import ASKED
from tests.support.wire import Refusal

pytestmark = pytest.mark.e2e

CALLS = [(door, row) for row in ASKED for door in DOORS]


@pytest.fixture(scope="module")
def stage(tmp_path_factory, data_dir):
    """One stack for all rows."""
    with open_stage(tmp_path_factory.mktemp("errors"), data_dir) as opened:
        yield opened


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("method", sorted(SERVICE_OF))
def test_bytes_that_are_no_message(stage: Stage, method: str, door: str) -> None:
    send = stage.channels[door].unary_unary(f"/{SERVICE_NAME}/{method}")
    with pytest.raises(grpc.RpcError) as caught:
        send(b"\x0a\xff", timeout=300)
    told = f"is not a cuvis_ai.v1.{method}Request"
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert told in caught.value.details()


@pytest.mark.parametrize(("door", "row"), CALLS, ids=[f"{row} ({door})" for door, row in CALLS])
def test_row(stage: Stage, door: str, row: Row) -> None:
    refusal = stage.refused(door, row)
    expected = stage.expected(row)
    assert refusal.code is expected.code, refusal
    assert expected.says(refusal.text), refusal.text


@pytest.mark.parametrize("door", DOORS)
def test_each_method_tells_that_the_store_is_down(stage: Stage, door: str) -> None:
    refusals = stage.all_refused(door, STORE_DOWN)
    told = {row.method: refusal for row, refusal in zip(STORE_DOWN, refusals, strict=True)}
    assert told == {row.method: Refusal(row.code, row.text) for row in STORE_DOWN}
