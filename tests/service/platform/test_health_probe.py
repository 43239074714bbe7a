"""The health check of the container images agrees with the service."""

from fleet_platform.errors import DependencyDown
from fleet_platform.health_probe import main


def test_it_passes_while_the_service_serves(serve, capsys):
    served = serve()
    assert main([served.running.address]) == 0
    assert capsys.readouterr().out == "SERVING\n"


def test_it_fails_while_a_dependency_is_down(serve, capsys):
    def ping():
        raise DependencyDown("Redis at the configured address does not answer.")

    served = serve(service={"probes": {"redis": ping}})
    assert main([served.running.address]) == 1
    assert capsys.readouterr().out == "NOT_SERVING\n"


def test_it_fails_if_the_port_is_closed(capsys):
    assert main(["127.0.0.1:1"]) == 1
    assert capsys.readouterr().out.startswith("UNAVAILABLE: ")


def test_it_prints_its_usage(capsys):
    assert main([]) == 2
    assert "HOST:PORT" in capsys.readouterr().err
