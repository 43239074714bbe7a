"""The health of all services together."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleet_proto.methods import SERVICE_NAME
from fleet_session.gateway_health import SERVICES, GatewayHealth


def health(*down):
    return GatewayHealth(lambda services: {name: name not in down for name in services})


@pytest.mark.parametrize("name", ["", SERVICE_NAME])
def test_all_serve_only_while_each_does(name):
    assert health().is_serving(name) is True
    for service in SERVICES:
        assert health(service).is_serving(name) is False


@pytest.mark.parametrize("service", SERVICES)
def test_one_service_is_reported_separately(service):
    others = set(SERVICES) - {service}

    assert health(*others).is_serving(service) is True
    assert health(service).is_serving(service) is False


def test_an_unknown_name_is_unknown():
    assert health().is_serving("nope") is None


def test_callers_of_one_moment_share_one_round_of_questions():
    asked, go_on = threading.Semaphore(0), threading.Event()
    rounds = []

    def ask_all(services):
        rounds.append(services)
        asked.release()
        assert go_on.wait(120)
        return dict.fromkeys(services, True)

    shared = GatewayHealth(ask_all)
    with ThreadPoolExecutor(4) as callers:
        first = callers.submit(shared.is_serving, "")
        assert asked.acquire(timeout=10)
        joined = threading.Event()

        def join():
            joined.set()
            return shared.is_serving("config")

        second = callers.submit(join)
        assert joined.wait(120)
        go_on.set()
        assert first.result(120) is second.result(120) is True

    assert shared.is_serving("") is True
    assert len(rounds) in {2, 3}  # the second caller may have come when the first round was over


def test_a_round_that_fails_does_not_stand_in_the_way_of_the_next():
    answers = iter([RuntimeError("broken"), True])

    def ask_all(services):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return dict.fromkeys(services, answer)

    shared = GatewayHealth(ask_all)

    with pytest.raises(RuntimeError, match="broken"):
        shared.is_serving("")
    assert shared.is_serving("") is True
