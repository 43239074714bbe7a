"""The doctor's findings for unhealthy servers."""

import grpc
import pytest

from cuvis_fleet.cli.checks.finding import Finding
from cuvis_fleet.cli.checks.server_checks import server_findings
from cuvis_fleet.cli.commands.doctor import findings_table
from cuvis_fleet.cli.invocation import Invocation
from cuvis_fleet.cli.report import Report
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.fake_service import FakeService

SERVICES = ("config", "inference", "session", "trainer")
NO_SUCH = (grpc.StatusCode.NOT_FOUND, "Session not found.")


class HealthDouble(grpc.GenericRpcHandler):
    """A health service: SERVING except for the services in `down`."""

    def __init__(self, down=()):
        self.down = down

    def service(self, call):
        if call.method != "/grpc.health.v1.Health/Check":
            return None
        return grpc.unary_unary_rpc_method_handler(self.check)

    def check(self, request, _context):
        name = request[2:].decode()
        well = name not in self.down and (name or not self.down)
        return b"\x08\x01" if well else b"\x08\x02"


@pytest.fixture
def ask():
    """Start a server with these handlers and return the findings by check."""
    servers = []

    def asking(*handlers, double=None):
        from concurrent import futures

        from fleet_proto.cuvis_ai.v1.cuvis_ai_pb2_grpc import add_CuvisAIServiceServicer_to_server

        server = grpc.server(futures.ThreadPoolExecutor(2), handlers=handlers)
        if double is not None:
            add_CuvisAIServiceServicer_to_server(double, server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
        invocation = Invocation(f"127.0.0.1:{port}", False, None, None, None, None, False, Report())
        return {finding.check: finding for finding in server_findings(invocation)}

    yield asking
    for server in servers:
        server.stop(grace=None).wait()


def well():
    double = FakeService()
    double.answers |= {
        "GetProfilingSummary": NO_SUCH,
        "StopTrain": NO_SUCH,
        "ListAvailablePipelines": pb.ListAvailablePipelinesResponse(
            pipelines=[pb.PipelineInfo(pipeline_path="rx.yaml")]
        ),
        "GetPipelineVisualization": pb.GetPipelineVisualizationResponse(
            image_data=b"\x89PNG", format="png"
        ),
    }
    return double


def levels(findings):
    return {check: finding.level for check, finding in findings.items()}


def test_a_healthy_fleet(ask):
    found = ask(HealthDouble(), double=well())
    assert set(levels(found).values()) == {"ok"}
    assert set(found) == {
        "fleet",
        *(f"service {service}" for service in SERVICES),
        "Redis",
        "volume",
        "server version",
        "pipelines",
        "Graphviz",
    }


def test_a_service_that_is_down_is_named(ask):
    found = levels(ask(HealthDouble(down=("trainer",)), double=well()))
    assert found["service trainer"] == found["fleet"] == "fail"
    assert (found["Redis"], found["volume"]) == ("warn", "warn")
    assert "Graphviz" not in found


def test_unreachable_stores_fail(ask):
    found = ask(HealthDouble(down=SERVICES))
    assert found["Redis"].level == found["volume"].level == "fail"
    assert "REDIS_URL" in found["Redis"].remedy


@pytest.mark.parametrize(
    ("method", "answer", "check", "text"),
    [
        (
            "StopTrain",
            (grpc.StatusCode.UNIMPLEMENTED, "no"),
            "server version",
            "does not implement StopTrain (0.9.0)",
        ),
        (
            "ListAvailablePipelines",
            pb.ListAvailablePipelinesResponse(),
            "pipelines",
            "none offered",
        ),
        (
            "GetPipelineVisualization",
            pb.GetPipelineVisualizationResponse(image_data=b"x", format="dot"),
            "Graphviz",
            "returned dot instead of png",
        ),
    ],
)
def test_restrictions_are_warnings_with_remedies(ask, method, answer, check, text):
    double = well()
    double.answers[method] = answer
    finding = ask(HealthDouble(), double=double)[check]
    assert finding.level == "warn"
    assert text in finding.found
    assert finding.remedy


def test_another_kind_of_server_is_recognised(ask):
    assert ask() == {
        "server": Finding(
            "server",
            "fail",
            "the address is that of another kind of gRPC server",
            "pass the address of the fleet's gateway with --address",
        )
    }


def test_remedies_are_below_the_findings():
    table = findings_table([Finding("GPU", "warn", "none", "buy one")])
    (text,) = table.columns[2].cells
    assert text.plain == "none\n→ buy one"
