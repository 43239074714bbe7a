import grpc
import pytest

from fleet_platform import errors
from fleet_platform.errors import AppError, Reason
from fleet_platform.rpc import STATUS_OF


def test_every_reason_has_its_own_status():
    assert set(STATUS_OF) == set(Reason)
    assert len(set(STATUS_OF.values())) == len(Reason)


def test_no_reason_looks_like_success_or_like_grpc_itself():
    assert not set(STATUS_OF.values()) & {grpc.StatusCode.OK, grpc.StatusCode.UNKNOWN}


@pytest.mark.parametrize(
    "error", [kind for kind in vars(errors).values() if isinstance(kind, type)]
)
def test_every_error_has_a_reason(error):
    if error is Reason:
        return
    assert issubclass(error, AppError)
    assert isinstance(error.reason, Reason)
    assert (error.reason is Reason.DEFECT) == (error is AppError)
