"""What the doctor asks the server."""

from collections.abc import Callable, Iterator

from cuvis_fleet.cli.checks.finding import Finding
from cuvis_fleet.cli.failures import FailureReport
from cuvis_fleet.cli.invocation import Invocation
from cuvis_fleet.client import Client
from cuvis_fleet.errors import CuvisFleetError, NotFound, Unimplemented

_TIMEOUT_S = 10.0
_SERVING = "SERVING"
_NO_SESSION = "00000000-0000-0000-0000-000000000000"
_DRAWN = """\
metadata: {name: probe}
nodes:
  - {name: data, class_name: cuvis_ai.node.data.LentilsAnomalyDataNode, hparams: {}}
connections: []
"""


def server_findings(invocation: Invocation) -> Iterator[Finding]:
    """Check what a client can see of the fleet; what cannot be asked any more is left out."""
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
        remedy = "name the fleet's gateway with --address"
        return Finding("server", "fail", "another kind of gRPC server answers", remedy)
    failure = FailureReport.of(error)
    return Finding(
        "server", "fail", failure.text, "see what the text says; `cuvis-fleet up` starts one"
    )


def _services(health: dict[str, str]) -> Iterator[Finding]:
    for service, status in health.items():
        name = f"service {service}" if service else "fleet"
        if status == _SERVING:
            yield Finding(name, "ok", "serves")
        else:
            remedy = "wait if it starts; else its log says which dependency does not answer"
            yield Finding(name, "fail", status, remedy)


def _stores(health: dict[str, str]) -> Iterator[Finding]:
    """Services say that they serve only while their stores answer, the volume to a write."""
    for store, users, remedy in (
        ("Redis", ("config", "inference", "session", "trainer"), "look whether REDIS_URL answers"),
        ("volume", ("inference", "trainer"), "look at space and rights of ARTIFACT_DIR"),
    ):
        serving = [user for user in users if health.get(user) == _SERVING]
        if len(serving) == len(users):
            yield Finding(store, "ok", f"reached by {', '.join(users)}")
        elif serving:
            found = f"reached by {', '.join(serving)}; the others do not serve"
            yield Finding(store, "warn", found, "see the services that do not serve")
        else:
            found = f"reached by none of {', '.join(users)}"
            yield Finding(store, "fail", found, f"{remedy}, and at the services' logs")


def _wire(client: Client) -> Finding:
    """Ask for the methods that later releases brought, of a session that nobody has."""
    nobody = client.attach(_NO_SESSION)
    newer: dict[str, Callable[[], object]] = {
        "GetProfilingSummary (0.3.0)": nobody.profile_summary,
        "StopTrain (0.9.0)": nobody.stop,
    }
    for method, call in newer.items():
        try:
            call()
        except NotFound:
            continue
        except Unimplemented:
            remedy = "update the server; commands that need the method end with exit code 12"
            return Finding("server version", "warn", f"has no method {method}", remedy)
        except CuvisFleetError as error:
            return Finding("server version", "fail", FailureReport.of(error).text, "see the text")
    return Finding("server version", "ok", "answers the methods of all releases up to 0.14")


def _pipelines(client: Client) -> Finding:
    try:
        count = len(client.pipelines())
    except CuvisFleetError as error:
        remedy = "give the services a folder of configurations, CUVIS_CONFIGS_DIR"
        return Finding("pipelines", "fail", FailureReport.of(error).text, remedy)
    if count:
        return Finding("pipelines", "ok", f"{count} offered")
    remedy = "put some into the folder `pipeline` below CUVIS_CONFIGS_DIR"
    return Finding("pipelines", "warn", "none offered", remedy)


def _graphviz(client: Client) -> Finding:
    try:
        client.draw(_DRAWN, "png")
    except CuvisFleetError as error:
        remedy = "install graphviz where inference runs; text graphs work without it"
        return Finding("Graphviz", "warn", FailureReport.of(error).text, remedy)
    return Finding("Graphviz", "ok", "the server draws pipelines as pictures")
