"""All spans, in the order in which a call passes them."""

from fleet_platform.telemetry import attributes
from fleet_platform.telemetry.registry.span_name import SpanName

_ALL = ("session", "config", "trainer", "inference")

GATEWAY_CALL = SpanName(
    name="cuvis_ai.v1.CuvisAIService/{method}",
    scope="",
    meaning="A call from its first byte at the gateway to its last; the root unless the client "
    "sends a trace context of its own.",
    services=("gateway",),
)
GATEWAY_TRY = SpanName(
    name="router {service} egress",
    scope="",
    meaning="One try of the call at one replica; a call that is repeated has several.",
    services=("gateway",),
)
CALL = SpanName(
    name="cuvis_ai.v1.CuvisAIService/{method}",
    scope="fleet.rpc",
    meaning="The call inside the service, once a worker has taken it.",
    services=_ALL,
    attributes=(
        attributes.RPC_SYSTEM,
        attributes.RPC_SERVICE,
        attributes.RPC_METHOD,
        attributes.RPC_STATUS_CODE,
        attributes.SESSION_ID,
        attributes.RUN_ID,
        attributes.DEVICE,
        attributes.NODES,
        attributes.PIXELS,
    ),
)
REDIS = SpanName(
    name="{COMMAND}",
    scope="fleet.redis",
    meaning="One command to Redis, its retries included.",
    services=_ALL,
    attributes=(attributes.DB_SYSTEM, attributes.DB_OPERATION),
)
ARTIFACT_PUT = SpanName(
    name="artifacts.put",
    scope="fleet.artifacts",
    meaning="Weights, a checkpoint or a plugin's code written to the artifact store.",
    services=("session", "trainer", "inference"),
    attributes=(attributes.ARTIFACT_DIGEST, attributes.SIZE_BYTES),
)
ARTIFACT_GET = SpanName(
    name="artifacts.get",
    scope="fleet.artifacts",
    meaning="The same read.",
    services=("trainer", "inference"),
    attributes=(attributes.ARTIFACT_DIGEST, attributes.SIZE_BYTES),
)
COMPOSE = SpanName(
    name="config.compose",
    scope="fleet.config",
    meaning="A config composed of its groups and overrides.",
    services=("config",),
)
MATERIALISE = SpanName(
    name="engine.materialise",
    scope="fleet.inference",
    meaning="A pipeline built from its config and weights, and put on the device.",
    services=("inference",),
    attributes=(
        attributes.NODES,
        attributes.SIZE_BYTES,
        attributes.DEVICE,
        attributes.CONFIG_DIGEST,
        attributes.WEIGHTS_DIGEST,
    ),
)
PLAN = SpanName(
    name="engine.plan",
    scope="fleet.engine",
    meaning="The nodes that the requested outputs need, run on one request.",
    services=("inference",),
)
SEGMENT = SpanName(
    name="engine.segment",
    scope="fleet.engine",
    meaning="One group of nodes of the plan: those that run tile by tile together, or one by one. "
    "On a GPU this is the time to queue the work, unless profiling synchronises.",
    services=("inference",),
    attributes=(attributes.NODE,),
)
RUN = SpanName(
    name="trainer.run",
    scope="fleet.trainer",
    meaning="A training in its child process, from the attempt's begin to its end; a run that was "
    "taken up again has several.",
    services=("trainer",),
    attributes=(attributes.RUN_ID, attributes.SESSION_ID, attributes.DEVICE),
)
RANK = SpanName(
    name="trainer.rank",
    scope="fleet.trainer",
    meaning="The part of a training that a further process takes (distributed data parallel).",
    services=("trainer",),
    attributes=(attributes.RUN_ID, attributes.RANK),
)
FIT = SpanName(
    name="engine.fit",
    scope="fleet.engine",
    meaning="One pass over the training data for the nodes that learn statistics together.",
    services=("trainer",),
    attributes=(attributes.NODE,),
)
EPOCH = SpanName(
    name="engine.epoch",
    scope="fleet.engine",
    meaning="One epoch of gradient training, its validation included.",
    services=("trainer",),
    attributes=(attributes.EPOCH, attributes.STEP),
)
POST_FIT = SpanName(
    name="engine.post_fit",
    scope="fleet.engine",
    meaning="Calibration of the deciders and evaluation of the splits after a training.",
    services=("trainer",),
)

SPANS: tuple[SpanName, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, SpanName)
)
"""All of the above."""
