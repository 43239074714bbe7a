"""Operations of several calls, without a transport."""

import grpc
import pytest

from cuvis_fleet import NotFound
from cuvis_fleet.operations import client_operations
from cuvis_fleet.operations.operation import Reply
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

SESSION_ID = "s"


@pytest.fixture
def listing():
    """A listing of nodes that has opened its session and requested the list."""
    operation = client_operations.nodes()
    assert next(operation).method == "CreateSession"
    opened = Reply(pb.CreateSessionResponse(session_id=SESSION_ID), "t")
    assert operation.send(opened).method == "ListAvailableNodes"
    return operation


def test_an_abandoned_listing_makes_no_more_calls(listing):
    listing.close()


def test_a_failed_listing_closes_its_session(listing):
    error = NotFound("ListAvailableNodes", grpc.StatusCode.NOT_FOUND, "gone", "t")
    closing = listing.throw(error)
    assert (closing.method, closing.request.session_id) == ("CloseSession", SESSION_ID)
    with pytest.raises(NotFound, match="gone"):
        listing.send(Reply(pb.CloseSessionResponse(), "t"))
