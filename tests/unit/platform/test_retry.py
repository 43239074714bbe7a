"""Retrying while a dependency is unavailable."""

import pytest

from fleet_platform.backoff import Backoff
from fleet_platform.errors import DependencyDown
from fleet_platform.retry import retry_while_unavailable


def test_an_operation_is_repeated_until_the_dependency_answers():
    results = [DependencyDown("away"), DependencyDown("away"), "there"]

    def operation():
        result = results.pop(0)
        if isinstance(result, DependencyDown):
            raise result
        return result

    assert retry_while_unavailable(operation, backoff=Backoff(0.001, 0.002)) == "there"


def test_the_last_error_is_raised_once_the_time_has_passed():
    def operation():
        raise DependencyDown("away")

    with pytest.raises(DependencyDown, match="away"):
        retry_while_unavailable(operation, max_wait_s=0.05)


def test_other_errors_are_raised_at_once():
    calls = []

    def operation():
        calls.append(1)
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        retry_while_unavailable(operation)
    assert len(calls) == 1
