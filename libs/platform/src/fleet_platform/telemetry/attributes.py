"""Names of span attributes and log keys."""

# OpenTelemetry's semantic conventions for RPC.
RPC_SYSTEM = "rpc.system"
RPC_SERVICE = "rpc.service"
RPC_METHOD = "rpc.method"
RPC_STATUS_CODE = "rpc.grpc.status_code"

# Specific to the fleet.
SESSION_ID = "fleet.session_id"
RUN_ID = "fleet.run_id"
NODE = "fleet.node"
NODES = "fleet.nodes"
PIXELS = "fleet.pixels"
DEVICE = "fleet.device"
CONFIG_DIGEST = "fleet.config_digest"
WEIGHTS_DIGEST = "fleet.weights_digest"
ARTIFACT_DIGEST = "fleet.artifact_digest"
SIZE_BYTES = "fleet.size_bytes"
RANK = "fleet.rank"
EPOCH = "fleet.epoch"
STEP = "fleet.step"

# OpenTelemetry's semantic conventions for databases.
DB_SYSTEM = "db.system.name"
DB_OPERATION = "db.operation.name"
