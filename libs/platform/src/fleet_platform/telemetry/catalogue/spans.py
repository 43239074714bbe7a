"""All spans, in the order in which a call passes through them."""

from fleet_platform.telemetry import attributes
from fleet_platform.telemetry.catalogue.span_name import SpanName

_ALL = ("session", "config", "trainer", "inference")
_spans: list[SpanName] = []


def _declared(
    *,
    name: str,
    scope: str,
    meaning: str,
    services: tuple[str, ...],
    attributes: tuple[str, ...] = (),
) -> SpanName:
    span = SpanName(
        name=name, scope=scope, meaning=meaning, services=services, attributes=attributes
    )
    _spans.append(span)
    return span


GATEWAY_CALL = _declared(
    name="cuvis_ai.v1.CuvisAIService/{method}",
    scope="",
    meaning="A call from its first byte at the gateway to its last; the root span unless the "
    "client sends a trace context.",
    services=("gateway",),
)
GATEWAY_TRY = _declared(
    name="router {service} egress",
    scope="",
    meaning="One attempt at the call on one replica; a retried call has several.",
    services=("gateway",),
)
CALL = _declared(
    name="cuvis_ai.v1.CuvisAIService/{method}",
    scope="fleet.rpc",
    meaning="The call inside the service, from the moment a worker starts it.",
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
REDIS = _declared(
    name="{COMMAND}",
    scope="fleet.redis",
    meaning="One Redis command including its retries.",
    services=_ALL,
    attributes=(attributes.DB_SYSTEM, attributes.DB_OPERATION),
)
ARTIFACT_PUT = _declared(
    name="artifacts.put",
    scope="fleet.artifacts",
    meaning="Weights, a checkpoint or a plugin's code written to the artifact store.",
    services=("session", "trainer", "inference"),
    attributes=(attributes.ARTIFACT_DIGEST, attributes.SIZE_BYTES),
)
ARTIFACT_GET = _declared(
    name="artifacts.get",
    scope="fleet.artifacts",
    meaning="An artifact read from the artifact store.",
    services=("trainer", "inference"),
    attributes=(attributes.ARTIFACT_DIGEST, attributes.SIZE_BYTES),
)
COMPOSE = _declared(
    name="config.compose",
    scope="fleet.config",
    meaning="A config composed from its groups and overrides.",
    services=("config",),
)
MATERIALISE = _declared(
    name="engine.materialise",
    scope="fleet.inference",
    meaning="A pipeline built from its config and weights and moved to the device.",
    services=("inference",),
    attributes=(
        attributes.NODES,
        attributes.SIZE_BYTES,
        attributes.DEVICE,
        attributes.CONFIG_DIGEST,
        attributes.WEIGHTS_DIGEST,
    ),
)
PLAN = _declared(
    name="engine.plan",
    scope="fleet.engine",
    meaning="One run of the nodes that the requested outputs need.",
    services=("inference",),
)
SEGMENT = _declared(
    name="engine.segment",
    scope="fleet.engine",
    meaning="One group of nodes of the plan, which run together tile by tile, or one by one. On a "
    "GPU this is the time to queue the work, unless profiling synchronises.",
    services=("inference",),
    attributes=(attributes.NODE,),
)
RUN = _declared(
    name="trainer.run",
    scope="fleet.trainer",
    meaning="One attempt at a training run in its child process; a resumed run has several.",
    services=("trainer",),
    attributes=(attributes.RUN_ID, attributes.SESSION_ID, attributes.DEVICE),
)
RANK = _declared(
    name="trainer.rank",
    scope="fleet.trainer",
    meaning="The part of a training run in an additional process (distributed data parallel).",
    services=("trainer",),
    attributes=(attributes.RUN_ID, attributes.RANK),
)
FIT = _declared(
    name="engine.fit",
    scope="fleet.engine",
    meaning="One pass over the training data, for nodes that are fitted together.",
    services=("trainer",),
    attributes=(attributes.NODE,),
)
EPOCH = _declared(
    name="engine.epoch",
    scope="fleet.engine",
    meaning="One epoch of gradient training including its validation.",
    services=("trainer",),
    attributes=(attributes.EPOCH, attributes.STEP),
)
POST_FIT = _declared(
    name="engine.post_fit",
    scope="fleet.engine",
    meaning="Calibration of the deciders and evaluation of the splits after training.",
    services=("trainer",),
)

SPANS: tuple[SpanName, ...] = tuple(_spans)
"""All spans above."""
