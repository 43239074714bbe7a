"""Draw the diagrams of ``docs/architecture.md``, sequences and the states of a run, as SVG.

``python -m docs.diagrams`` writes them into ``docs/img``; with ``--check`` it only reports whether
they are current. They are drawn here because the site must not load a renderer from elsewhere.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from docs.svg_diagrams import Box, Frame, Message, State, Transition, sequence, states

FOLDER = Path(__file__).resolve().parent / "img"


def _inference() -> str:
    client, gateway, service, redis, volume = range(5)
    lanes = (
        Box("client", "any gRPC client", "client"),
        Box("gateway", "Envoy", "gateway"),
        Box("inference", "one replica", "service"),
        Box("Redis", "records", "redis"),
        Box("artifact volume", "files by digest", "volume"),
    )
    steps = (
        Message(client, gateway, "Inference(session, cube)"),
        Message(gateway, gateway, "authenticate the caller, apply rate limits, choose a replica"),
        Message(gateway, service, "same bytes + identity"),
        Message(service, service, "wait for a thread; decode: arrays are views of the message"),
        Message(service, redis, "read session, renew expiry"),
        Message(redis, service, "config, weights digest", is_reply=True),
        Frame(
            "if the pipeline is not in the replica's memory",
            (
                Message(service, volume, "read weights (and code of plugins)"),
                Message(
                    service, service, "build the pipeline once, for all calls that wait for it"
                ),
            ),
        ),
        Message(
            service, service, "compile the plan of the requested outputs, unless compiled before"
        ),
        Message(
            service, service, "run it: pixelwise nodes tile by tile, other nodes on whole cubes"
        ),
        Frame(
            "if profiling is on",
            (Message(service, redis, "add times of nodes"),),
        ),
        Message(service, gateway, "outputs, serialised once", is_reply=True),
        Message(gateway, client, "outputs", is_reply=True),
    )
    return sequence("One Inference, from the client and back", lanes, steps)


def _training() -> str:
    client, trainer, worker, redis, volume = range(5)
    lanes = (
        Box("client", "through the gateway", "client"),
        Box("trainer", "one replica", "service"),
        Box("worker", "process of a trainer", "service"),
        Box("Redis", "records, progress", "redis"),
        Box("artifact volume", "files by digest", "volume"),
    )
    steps = (
        Message(client, trainer, "Train(session, type), key"),
        Message(
            trainer, redis, "read session; create the run as QUEUED, or find the one of the key"
        ),
        Message(trainer, redis, "enter the run in the session"),
        Message(trainer, redis, "claim the run when a worker is free: RUNNING, token + 1"),
        Message(trainer, worker, "run id, token"),
        Message(worker, redis, "read run"),
        Message(worker, volume, "read weights, code of plugins, checkpoint if one exists"),
        Frame(
            "every HEARTBEAT_S, beside everything else",
            (Message(worker, redis, "heartbeat; touch session"),),
        ),
        Frame(
            "for every epoch (gradient training)",
            (
                Message(worker, volume, "store the checkpoint, delete the one before"),
                Message(worker, redis, "checkpoint; progress"),
                Message(redis, trainer, "new progress messages (blocking read)", is_reply=True),
                Message(trainer, client, "TrainResponse", is_reply=True),
            ),
        ),
        Message(worker, volume, "store the trained weights"),
        Message(worker, redis, "pipeline of session"),
        Message(worker, redis, "COMPLETE + message"),
        Message(redis, trainer, "last message", is_reply=True),
        Message(trainer, client, "COMPLETE, end", is_reply=True),
    )
    return sequence("One Train, from the call to the end of its stream", lanes, steps)


def _plugin() -> str:
    client, session, builder, redis, volume = range(5)
    lanes = (
        Box("client", "through the gateway", "client"),
        Box("session", "runs no plugin code", "service"),
        Box("inference, worker", "any process that builds", "service"),
        Box("Redis", "records", "redis"),
        Box("artifact volume", "files by digest", "volume"),
    )
    steps = (
        Message(client, session, "LoadPlugin(manifest)"),
        Message(session, session, "find the declared classes in the source, without running it"),
        Message(session, volume, "store the files as one artifact"),
        Message(session, redis, "session: manifest, digest of the files"),
        Message(client, builder, "LoadPipeline, Train, Inference"),
        Message(builder, redis, "session or run: config, digests"),
        Frame(
            "if this process has no modules of this digest",
            (
                Message(builder, volume, "read the artifact"),
                Message(builder, builder, "unpack it into a private folder"),
                Message(builder, builder, "import lab.nodes as fleet_plugin_<digest>.lab.nodes"),
                Message(builder, builder, "modules get an __import__ that looks there first"),
            ),
        ),
        Message(builder, builder, "build the pipeline's nodes from these classes"),
    )
    return sequence("One plugin, from its files to a pipeline", lanes, steps)


def _run_states() -> str:
    found = (
        State(Box("QUEUED", "waits for a free worker", "service"), 300, 52),
        State(Box("RUNNING", "has an owner and a lease", "service"), 690, 52),
        State(Box("REJECTED", "never started", "volume"), 130, 252),
        State(Box("CANCELLED", "stopped by the client", "client"), 400, 252),
        State(Box("FAILED", "error in the record", "redis"), 670, 252),
        State(Box("COMPLETE", "result in the session", "service"), 910, 252),
    )
    transitions = (
        Transition("M60 42H213", ("Train",), 136, 34),
        Transition("M385 40H603", ("claimed by a trainer: token + 1",), 494, 32),
        Transition(
            "M603 66H387", ("owner died, or its trainer", "stops: token + 1, place kept"), 494, 84
        ),
        Transition("M740 80L890 222", ("trained",), 830, 144, "start"),
        Transition(
            "M690 80L675 222",
            ("error, or three", "attempts without", "a new checkpoint"),
            696,
            140,
            "start",
        ),
        Transition(
            "M640 80L445 222", ("StopTrain, at", "the next batch", "or node"), 500, 144, "end"
        ),
        Transition("M320 80L385 222", ("StopTrain",), 354, 136, "start"),
        Transition(
            "M255 80L165 222", ("no place left,", "or the call", "broke off"), 236, 130, "start"
        ),
        Transition("M100 222C50 172 70 84 213 64", ("same key", "again"), 92, 176, "start"),
    )
    return states("States of a training run", found, transitions)


DIAGRAMS: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "sequence-inference.svg": _inference,
        "sequence-train.svg": _training,
        "sequence-plugin.svg": _plugin,
        "run-states.svg": _run_states,
    }
)


def main() -> int:
    """Run the command line; return the exit status."""
    stale = []
    for name, draw in DIAGRAMS.items():
        path, current = FOLDER / name, draw()
        if "--check" not in sys.argv[1:]:
            path.write_text(current, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != current:
            stale.append(name)
    if stale:
        sys.stderr.write(f"Not current: {', '.join(stale)}\nRun: python -m docs.diagrams\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
