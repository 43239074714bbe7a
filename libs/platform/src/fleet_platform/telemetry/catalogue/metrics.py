"""All metrics, grouped by subject."""

from fleet_platform.telemetry.catalogue.metric import Metric, MetricKind
from fleet_platform.telemetry.catalogue.metric_declarations import MetricDeclarations

_declared = MetricDeclarations()

_ALL = ("session", "config", "trainer", "inference")
_STORING = ("session", "trainer", "inference")
_COMPUTING = ("trainer", "inference")

_CALL_BUCKETS_S = (
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
    *(1, 2.5, 5, 10, 30, 60, 300),
)
_STORE_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5)
_BUILD_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_RUN_BUCKETS_S = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600)

# Calls.
RPC_SECONDS = _declared.histogram(
    name="fleet_rpc_seconds",
    meaning="Duration of a call, in seconds; its count is the number of calls.",
    services=_ALL,
    labels=("method", "code"),
    buckets=_CALL_BUCKETS_S,
)
RPC_RUNNING = _declared.gauge(
    name="fleet_rpc_running",
    meaning="Running calls; for Train, open streams.",
    services=_ALL,
    labels=("method",),
)
RPC_WAITING = _declared.gauge(
    name="fleet_rpc_waiting",
    meaning="Unary calls that wait for a worker: the length of the queue.",
    services=_ALL,
)
RPC_WORKERS = _declared.gauge(
    name="fleet_rpc_workers",
    meaning="Workers for unary calls (call) and for streams (stream).",
    services=_ALL,
    labels=("pool",),
)
RPC_WORKERS_BUSY = _declared.gauge(
    name="fleet_rpc_workers_busy",
    meaning="Busy workers; for the stream pool, open streams.",
    services=_ALL,
    labels=("pool",),
)

# Health.
SERVING = _declared.gauge(
    name="fleet_serving",
    meaning="1 while the service reports SERVING, else 0.",
    services=_ALL,
)
DEPENDENCY_UP = _declared.gauge(
    name="fleet_dependency_up",
    meaning="1 while a dependency answers (redis, artifacts, children), else 0.",
    services=_ALL,
    labels=("dependency",),
)

# Stores.
REDIS_SECONDS = _declared.histogram(
    name="fleet_redis_seconds",
    meaning="Duration of a Redis command including its retries, in seconds.",
    services=_ALL,
    labels=("command",),
    buckets=_STORE_BUCKETS_S,
)
REDIS_ERRORS = _declared.counter(
    name="fleet_redis_errors_total",
    meaning="Redis commands that failed: no answer, or an error.",
    services=_ALL,
)
ARTIFACT_SECONDS = _declared.histogram(
    name="fleet_artifact_seconds",
    meaning="Duration of an artifact store operation (put, get, delete, remove_unused), in "
    "seconds.",
    services=_STORING,
    labels=("operation",),
    buckets=_STORE_BUCKETS_S,
)
ARTIFACT_BYTES = _declared.counter(
    name="fleet_artifact_bytes_total",
    meaning="Bytes written to (put) and read from (get) the artifact store.",
    services=_STORING,
    labels=("operation",),
)
ARTIFACT_REMOVED_BYTES = _declared.counter(
    name="fleet_artifact_removed_bytes_total",
    meaning="Bytes of unused artifacts removed from the artifact store.",
    services=_STORING,
)
ARTIFACT_ERRORS = _declared.counter(
    name="fleet_artifact_errors_total",
    meaning="Artifact store operations that failed: not found, full or unavailable.",
    services=_STORING,
)
ARTIFACT_FREE_BYTES = _declared.gauge(
    name="fleet_artifact_volume_free_bytes",
    meaning="Free space on the artifact volume for an unprivileged process.",
    services=_STORING,
)

# Sessions.
SESSIONS_OPEN = _declared.gauge(
    name="fleet_sessions_open",
    meaning="Open sessions in Redis; every replica reports the same number.",
    services=("session",),
)

# Inference.
PIPELINES_READY = _declared.gauge(
    name="fleet_pipelines_ready",
    meaning="Materialised pipelines in the cache.",
    services=("inference",),
)
PIPELINES_BYTES = _declared.gauge(
    name="fleet_pipelines_bytes",
    meaning="Size of the parameters and buffers of the cached pipelines.",
    services=("inference",),
)
PIPELINES_CAPACITY_BYTES = _declared.gauge(
    name="fleet_pipelines_capacity_bytes",
    meaning="Size above which the least recently used pipelines are evicted.",
    services=("inference",),
)
PIPELINE_LOOKUPS = _declared.counter(
    name="fleet_pipeline_lookups_total",
    meaning="Calls that needed a pipeline: it was cached (hit), another call was building it "
    "(wait), or it had to be built (miss).",
    services=("inference",),
    labels=("outcome",),
)
PIPELINES_EVICTED = _declared.counter(
    name="fleet_pipelines_evicted_total",
    meaning="Pipelines evicted to make space for others.",
    services=("inference",),
)
MATERIALISE_SECONDS = _declared.histogram(
    name="fleet_materialise_seconds",
    meaning="Time to build a pipeline and move it to the device, in seconds.",
    services=("inference",),
    buckets=_BUILD_BUCKETS_S,
)
INFERENCE_PIXELS = _declared.counter(
    name="fleet_inference_pixels_total",
    meaning="Pixels of the cubes of completed Inference calls.",
    services=("inference",),
)

# Training.
RUNS = _declared.gauge(
    name="fleet_runs",
    meaning="Training runs in the whole fleet that are queued or running; every trainer reports "
    "the same numbers.",
    services=("trainer",),
    labels=("state",),
)
RUNS_ENDED = _declared.counter(
    name="fleet_runs_ended_total",
    meaning="Training runs that ended here: complete, failed, cancelled or rejected.",
    services=("trainer",),
    labels=("state",),
)
RUN_SECONDS = _declared.histogram(
    name="fleet_run_seconds",
    meaning="Time that a child process spent on a training run, in seconds.",
    services=("trainer",),
    labels=("type",),
    buckets=_RUN_BUCKETS_S,
)
EPOCHS = _declared.counter(
    name="fleet_epochs_total",
    meaning="Completed epochs of gradient training.",
    services=("trainer",),
)
PROGRESS_MESSAGES = _declared.counter(
    name="fleet_progress_messages_total",
    meaning="Messages written to the progress streams of training runs.",
    services=("trainer",),
)
TRAIN_SLOTS = _declared.gauge(
    name="fleet_train_slots",
    meaning="Training runs that this trainer can execute at the same time.",
    services=("trainer",),
)
TRAIN_CHILDREN = _declared.gauge(
    name="fleet_train_children",
    meaning="Child processes that execute a training run (busy), wait for one (idle) or are still "
    "importing (starting).",
    services=("trainer",),
    labels=("state",),
)
TRAIN_CHILDREN_BYTES = _declared.gauge(
    name="fleet_train_children_resident_bytes",
    meaning="Total resident memory of the child processes.",
    services=("trainer",),
)
TRAIN_CHILD_DEATHS = _declared.counter(
    name="fleet_train_child_deaths_total",
    meaning="Child processes that died unexpectedly.",
    services=("trainer",),
)

# Devices.
GPU_MEMORY_USED_BYTES = _declared.gauge(
    name="fleet_gpu_memory_used_bytes",
    meaning="GPU memory used by all processes.",
    services=_COMPUTING,
    labels=("gpu",),
    only_with="an NVIDIA GPU",
)
GPU_MEMORY_TOTAL_BYTES = _declared.gauge(
    name="fleet_gpu_memory_total_bytes",
    meaning="Total GPU memory.",
    services=_COMPUTING,
    labels=("gpu",),
    only_with="an NVIDIA GPU",
)

METRICS: tuple[Metric, ...] = tuple(_declared.metrics)
"""All metrics above, which the fleet itself emits."""

LIBRARY_METRICS: tuple[Metric, ...] = (
    *(
        Metric(name=name, kind=kind, meaning=meaning, services=_ALL)
        for name, kind, meaning in (
            ("process_virtual_memory_bytes", MetricKind.GAUGE, "Virtual memory of the process."),
            ("process_resident_memory_bytes", MetricKind.GAUGE, "Resident memory of the process."),
            (
                "process_start_time_seconds",
                MetricKind.GAUGE,
                "Start time of the process, in Unix time.",
            ),
            ("process_cpu_seconds_total", MetricKind.COUNTER, "CPU time of the process."),
            ("process_open_fds", MetricKind.GAUGE, "Open file descriptors."),
            ("process_max_fds", MetricKind.GAUGE, "Maximum number of open file descriptors."),
        )
    ),
    Metric(
        name="python_info",
        kind=MetricKind.GAUGE,
        meaning="Version of Python, as labels.",
        services=_ALL,
        labels=("version", "implementation", "major", "minor", "patchlevel"),
    ),
    *(
        Metric(name=name, kind=MetricKind.COUNTER, meaning=m, services=_ALL, labels=("generation",))
        for name, m in (
            ("python_gc_objects_collected_total", "Objects freed by garbage collection."),
            (
                "python_gc_objects_uncollectable_total",
                "Objects that garbage collection could not free.",
            ),
            ("python_gc_collections_total", "Garbage collections."),
        )
    ),
)
"""Metrics that ``prometheus_client`` exports for each process."""
