"""The doctor's checks of the server."""

from collections.abc import Callable, Iterator

from cuvis_fleet.cli.checks.finding import Finding
from cuvis_fleet.cli.failures import FailureReport
from cuvis_fleet.cli.invocation import Invocation
from cuvis_fleet.client import Client
from cuvis_fleet.errors import CuvisFleetError, NotFound, Unimplemented

_TIMEOUT_S = 10.0
_SERVING = "SERVING"
_UNKNOWN_SESSION = "00000000-0000-0000-0000-000000000000"
_DRAWN_PIPELINE = """\
metadata: {name: probe}
nodes:
  - {name: data, class_name: cuvis_ai.node.data.LentilsAnomalyDataNode, hparams: {}}
connections: []
"""


def server_findings(invocation: Invocation) -> Iterator[Finding]:
    """Check what a client can see of the fleet; skip checks that cannot succeed."""
    with invocation.connect(timeout_s=_TIMEOUT_S, once=True) as client:
        try:
            health = client.health()
        except CuvisFleetError as error:
            yield _unanswered(error)
            return
        yield from _services(health)
        yield from _stores(health)
        if health[""] != _SERVING:
            return
        yield _wire(client)
        yield _pipelines(client)
        yield _graphviz(client)


def _unanswered(error: CuvisFleetError) -> Finding:
    if isinstance(error, Unimplemented):
        remedy = "pass the address of the fleet's gateway with --address"
        return Finding(
            "server", "fail", "the address is that of another kind of gRPC server", remedy
        )
    failure = FailureReport.of(error)
    return Finding(
        "server", "fail", failure.text, "follow the text; `cuvis-fleet up` starts a server"
    )


def _services(health: dict[str, str]) -> Iterator[Finding]:
    for service, status in health.items():
        name = f"service {service}" if service else "fleet"
        if status == _SERVING:
            yield Finding(name, "ok", "serving")
        else:
            remedy = "wait if it is starting; otherwise its log names the dependency that fails"
            yield Finding(name, "fail", status, remedy)


def _stores(health: dict[str, str]) -> Iterator[Finding]:
    """Infer the health of the stores: services report SERVING only if their stores answer."""
    for store, users, remedy in (
        (
            "Redis",
            ("config", "inference", "session", "trainer"),
            "check that REDIS_URL is reachable",
        ),
        (
            "volume",
            ("inference", "trainer"),
            "check the free space and permissions of ARTIFACT_DIR",
        ),
    ):
        serving = [user for user in users if health.get(user) == _SERVING]
        if len(serving) == len(users):
            yield Finding(store, "ok", f"reached by {', '.join(users)}")
        elif serving:
            found = f"reached by {', '.join(serving)}; the other services are not serving"
            yield Finding(store, "warn", found, "see the services that are not serving")
        else:
            found = f"not reached by {', '.join(users)}"
            yield Finding(store, "fail", found, f"{remedy}, and read the services' logs")


def _wire(client: Client) -> Finding:
    """Call methods that later releases added, for a session that does not exist."""
    unknown = client.attach(_UNKNOWN_SESSION)
    newer: dict[str, Callable[[], object]] = {
        "GetProfilingSummary (0.3.0)": unknown.profile_summary,
        "StopTrain (0.9.0)": unknown.stop,
    }
    for method, call in newer.items():
        try:
            call()
        except NotFound:
            continue
        except Unimplemented:
            remedy = "update the server; commands that need the method exit with code 12"
            return Finding("server version", "warn", f"does not implement {method}", remedy)
        except CuvisFleetError as error:
            return Finding(
                "server version", "fail", FailureReport.of(error).text, "follow the text"
            )
    return Finding("server version", "ok", "implements the methods of all releases up to 0.14")


def _pipelines(client: Client) -> Finding:
    try:
        count = len(client.pipelines())
    except CuvisFleetError as error:
        remedy = "set CUVIS_CONFIGS_DIR to a folder of configurations for the services"
        return Finding("pipelines", "fail", FailureReport.of(error).text, remedy)
    if count:
        return Finding("pipelines", "ok", f"{count} offered")
    remedy = "add some to the folder `pipeline` below CUVIS_CONFIGS_DIR"
    return Finding("pipelines", "warn", "none offered", remedy)


def _graphviz(client: Client) -> Finding:
    try:
        client.draw(_DRAWN_PIPELINE, "png")
    except CuvisFleetError as error:
        remedy = "install graphviz where inference runs; text formats work without it"
        return Finding("Graphviz", "warn", FailureReport.of(error).text, remedy)
    return Finding("Graphviz", "ok", "the server can draw pipelines as pictures")
