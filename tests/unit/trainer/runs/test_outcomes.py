import pytest
import torch

from fleet_platform.errors import AppError, Exhausted, NotFound, Reason
from fleet_proto.records.v1.records_pb2 import RunRecord
from fleet_trainer.runs import outcomes
from fleet_trainer.runs.outcomes import error_of, public_error


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_survives_the_record(reason):
    record = RunRecord(error_reason=reason.name, error_text="what is wrong")

    error = error_of(record)

    assert error.reason is reason
    assert error.text == "what is wrong"


def test_a_reason_of_a_later_release_is_a_defect():
    assert error_of(RunRecord(error_reason="WEATHER", error_text="rain")).reason is Reason.DEFECT


def test_an_error_of_the_domain_is_public():
    error = NotFound("no such file")

    assert public_error(error, "ab" * 16) is error


def test_the_text_of_an_unexpected_error_is_only_in_the_log():
    error = public_error(ValueError("/srv/secret"), "ab" * 16)

    assert error.reason is Reason.DEFECT
    assert error.text == f"Unexpected error; the server's log has it under trace id {'ab' * 16}."


@pytest.mark.parametrize(
    "exception",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_running_out_of_memory_is_exhausted_and_names_a_remedy(exception):
    error = public_error(exception, "")

    assert isinstance(error, Exhausted)
    assert "batch_size" in error.text


def test_a_failed_run_keeps_its_own_record():
    run = RunRecord(run_id="r", fencing_token=3)

    ended = outcomes.failed(run, AppError("broke"))

    assert (ended.run_id, ended.fencing_token, ended.error_text) == ("r", 3, "broke")
    assert not run.error_text
