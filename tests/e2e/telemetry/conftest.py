"""One workflow on one stack, and the telemetry that it left."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet_local.background import BackgroundStack, background_stack
from fleet_platform.ports import free_ports
from tests.e2e.telemetry.exposition import Families, scrape, scrape_envoy
from tests.e2e.telemetry.workflow import TRAININGS, Workflow, workflow_at
from tests.support.otlp_receiver import OtlpReceiver, ReceivedSpan, otlp_receiver
from tests.support.plugin_folder import write_plugin
from tests.support.polling import wait_until
from tests.support.scenes.lentils_scene import Scene
from tests.support.stacks import stack_environment

SERVICES = ("session", "config", "trainer", "inference")


@dataclass(frozen=True)
class Observed:
    """The telemetry of a workflow.

    Attributes:
        workflow: the calls.
        metrics: families of each part, read while the session was open.
        spans: all that any process had sent when the stack had stopped.
        log: everything that its processes wrote.
    """

    workflow: Workflow
    metrics: Mapping[str, Families]
    spans: list[ReceivedSpan]
    log: str

    def trace(self, trace_id: str) -> list[ReceivedSpan]:
        """The spans of one trace."""
        return [span for span in self.spans if span.trace_id == trace_id]


@pytest.fixture(scope="session")
def observed(tmp_path_factory: pytest.TempPathFactory, data_dir: Path, scene: Scene) -> Observed:
    """Run a workflow against a stack and collect its telemetry."""
    folder = tmp_path_factory.mktemp("observed")
    plugin = write_plugin(data_dir / "workflow-plugin")
    with otlp_receiver() as receiver:
        more = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "METRICS": "true",
            "LOG_FORMAT": "json",
        }
        environment = stack_environment(folder, data_dir, more)
        with (
            background_stack(free_ports(1)[0], folder / "run", environment) as stack,
            workflow_at(stack.address) as workflow,
        ):
            workflow.work(scene, str(plugin))
            metrics = _metrics(stack)
            workflow.call("CloseSession")
            _wait_for_the_gateway(receiver, workflow)
        return Observed(workflow, metrics, receiver.spans, stack.log.read_text(encoding="utf-8"))


def _metrics(stack: BackgroundStack) -> dict[str, Families]:
    """Families of all parts, once the child has told what it counted."""
    ports = {name: stack.part(name)["metrics_port"] for name in (*SERVICES, "gateway")}

    def ended() -> bool:
        # The last thing that a child counts of a run, after its client has heard of the end.
        told = scrape(ports["trainer"]).get("fleet_run_seconds")
        samples = told.samples if told else []
        return sum(each.value for each in samples if each.name.endswith("_count")) == TRAININGS

    wait_until(ended, "the trainer tells of all runs")
    services = {name: scrape(ports[name]) for name in SERVICES}
    return services | {"gateway": scrape_envoy(ports["gateway"])}


def _wait_for_the_gateway(receiver: OtlpReceiver, workflow: Workflow) -> None:
    """Envoy sends its spans in turns of its own and loses what is left when it stops."""
    wanted = {call.trace_id for call in workflow.calls}

    def complete(seen: list[ReceivedSpan]) -> bool:
        mine = [span for span in seen if span.service == "gateway" and span.trace_id in wanted]
        roots = {span.trace_id for span in mine if not span.parent_id}
        tries = {span.trace_id for span in mine if span.parent_id}
        return roots == tries == wanted

    receiver.wait_for(complete, timeout_s=300.0)
