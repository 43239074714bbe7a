"""A service starts and stops in the right order, even if the start fails half-way."""

import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import ExitStack

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fleet_platform.rpc import Service, connect, lifecycle, run_service, start_service
from fleet_platform.rpc.server import PortTaken
from fleet_platform.settings import ServiceSettings
from fleet_platform.telemetry import Telemetry
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc
from tests.support.polling import wait_until

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture
def taken_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture
def order(monkeypatch):
    """The order of the steps, recorded by patched functions of the platform."""
    happened = []

    def note(owner, name, what):
        real = getattr(owner, name)

        def noted(*args, **kwargs):
            happened.append(what)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, noted)

    note(lifecycle, "configure_telemetry", "telemetry")
    note(lifecycle.HealthMonitor, "__init__", "not serving")
    note(lifecycle.Server, "start", "bind")
    note(lifecycle.HealthMonitor, "start", "probe")
    note(lifecycle.HealthMonitor, "stop", "not serving again")
    note(lifecycle.Server, "stop", "refuse calls")
    note(Telemetry, "close", "flush")
    return happened


def _service(happened, **changes):
    return Service(
        **{
            "name": "tested",
            "methods": {"CloseSession": print},
            "owned": ["CloseSession"],
            "probes": {"redis": lambda: None},
            "on_drain": (lambda: happened.append("end streams"),),
            "on_stop": (
                lambda: happened.append("close workers"),
                lambda: happened.append("close stores"),
            ),
        }
        | changes
    )


@pytest.fixture
def connected():
    """Channels that exist longer than the service and are closed after the test."""
    with ExitStack() as undo:
        yield lambda address: undo.enter_context(connect(address))


STOPPED = ["not serving again", "end streams", "refuse calls"]
STOPPED += ["close workers", "close stores", "flush"]


def test_start_and_stop_keep_their_order(order):
    with start_service(_service(order), ServiceSettings()) as running:
        assert order == ["telemetry", "not serving", "bind", "probe"]
        assert running.health.serving
        order.clear()
    assert order == STOPPED


def test_a_body_that_fails_is_unwound_in_the_same_order(order):
    def run():
        with start_service(_service(order), ServiceSettings()):
            order.clear()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()
    assert order == STOPPED


def test_a_port_in_use_undoes_the_start(order, taken_port):
    settings = ServiceSettings(service_port=taken_port)
    reported = pytest.raises(PortTaken, match=rf"127\.0\.0\.1:{taken_port}.*SERVICE_PORT")
    with reported, start_service(_service(order), settings):
        pass
    assert order == ["telemetry", "not serving", "bind", "close workers", "close stores", "flush"]


def test_a_metrics_port_in_use_is_reported_too(order, taken_port):
    settings = ServiceSettings(metrics_port=taken_port)
    reported = pytest.raises(PortTaken, match=rf"{taken_port}.*METRICS_PORT")
    with reported, start_service(_service(order), settings):
        pass
    assert order[-3:] == ["close workers", "close stores", "flush"]


def test_a_stop_callback_that_fails_does_not_prevent_the_others(order, capsys):
    def broken():
        raise OSError("already gone")

    on_stop = (broken, lambda: order.append("close stores"))
    with start_service(_service(order, on_stop=on_stop), ServiceSettings()):
        pass
    assert order[-2:] == ["close stores", "flush"]
    assert "callback.failed" in capsys.readouterr().err


def test_stopping_reports_not_serving_first_and_lets_running_calls_end(order, connected):
    release, running_call, closed = threading.Event(), threading.Event(), []

    def close(_request, _call):
        running_call.set()
        release.wait(120)
        return pb.CloseSessionResponse(success=True)

    service = _service(
        order, methods={"CloseSession": close}, on_stop=(lambda: closed.append(release.is_set()),)
    )
    seen = []

    def release_once_red(health):
        question = health_pb2.HealthCheckRequest()
        wait_until(lambda: health.Check(question).status == NOT_SERVING, "red")
        seen.append(slow.done())
        release.set()

    with start_service(service, ServiceSettings(drain_s=0.5)) as running:
        channel = connected(running.address)
        slow = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel).CloseSession.future(
            pb.CloseSessionRequest()
        )
        assert running_call.wait(120)
        watcher = threading.Thread(
            target=release_once_red, args=(health_pb2_grpc.HealthStub(channel),)
        )
        watcher.start()
    watcher.join(120)
    assert seen == [False]
    assert slow.result(120).success
    assert closed == [True]
    assert running.busy == 0


def test_a_watch_does_not_delay_the_stop(order, connected):
    with start_service(_service(order), ServiceSettings(stop_grace_s=120)) as running:
        health = health_pb2_grpc.HealthStub(connected(running.address))
        watch = health.Watch(health_pb2.HealthCheckRequest())
        next(watch)
        started_s = time.monotonic()
    assert time.monotonic() - started_s < 60
    assert [reply.status for reply in watch] == [NOT_SERVING]


def test_a_call_that_never_ends_is_cancelled_after_the_grace(order, connected):
    release, running_call = threading.Event(), threading.Event()

    def close(_request, _call):
        running_call.set()
        release.wait(120)
        return pb.CloseSessionResponse()

    service = _service(order, methods={"CloseSession": close})
    with start_service(service, ServiceSettings(stop_grace_s=0.1)) as running:
        stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(connected(running.address))
        stuck = stub.CloseSession.future(pb.CloseSessionRequest())
        assert running_call.wait(120)
    assert stuck.code() in {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}
    assert running.busy == 1
    release.set()
    wait_until(lambda: running.busy == 0, "the thread is free")


def test_a_port_in_use_is_one_line_and_exit_code_1(capsys, taken_port, restore_signals):
    service = Service(name="tested", methods={"Train": print}, owned=["Train"])
    assert run_service(service, ServiceSettings(service_port=taken_port)) == 1
    failed = [line for line in capsys.readouterr().err.splitlines() if "failed" in line]
    assert len(failed) == 1
    assert f"127.0.0.1:{taken_port}" in failed[0]
    assert "Traceback" not in failed[0]


@pytest.fixture
def restore_signals():
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


PROGRAM = textwrap.dedent(
    """
    import sys, threading
    from fleet_platform.rpc import Service, run_service
    from fleet_platform.settings import ServiceSettings

    def stuck(request, call):
        print("called", file=sys.stderr, flush=True)
        threading.Event().wait(60)

    service = Service(
        name="tested",
        methods={"CloseSession": stuck},
        owned=["CloseSession"],
        on_stop=(lambda: print("closed", file=sys.stderr),),
    )
    sys.exit(run_service(service, ServiceSettings(stop_grace_s=0.1)))
    """
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stuck_call", [False, True])
def test_a_signal_ends_the_process_cleanly(number, stuck_call, connected):
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROGRAM], stderr=subprocess.PIPE, text=True
    )
    with process:
        lines = _lines_until(process.stderr, "ready")
        if stuck_call:
            port = lines[-1].split("port=")[1].split()[0]
            stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(connected(f"127.0.0.1:{port}"))
            stuck = stub.CloseSession.future(pb.CloseSessionRequest())
            lines += _lines_until(process.stderr, "called")
        process.send_signal(number)
        try:
            _, rest = process.communicate(timeout=120)
        finally:
            process.kill()
    assert process.returncode == 0
    log = "".join(lines) + rest
    logged = [
        word for word in ("settings", "ready", "stopping", "closed", "stopped") if word in log
    ]
    assert logged == ["settings", "ready", "stopping", "closed", "stopped"]
    assert log.index("stopping") < log.index("closed") < log.index("stopped")
    if stuck_call:
        assert stuck.code() is not grpc.StatusCode.OK
        assert "calls.abandoned" in log
    assert "Traceback" not in log


def _lines_until(stream, word):
    lines = []
    for line in stream:
        lines.append(line)
        if word in line:
            break
    return lines
