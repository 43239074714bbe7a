"""All metrics, by what they tell of."""

from fleet_platform.telemetry.registry.metric import Metric, MetricKind

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
RPC_SECONDS = Metric(
    name="fleet_rpc_seconds",
    kind=MetricKind.HISTOGRAM,
    meaning="Time from start to end of a call, in seconds; its count is the number of calls.",
    services=_ALL,
    labels=("method", "code"),
    buckets=_CALL_BUCKETS_S,
)
RPC_RUNNING = Metric(
    name="fleet_rpc_running",
    kind=MetricKind.GAUGE,
    meaning="Calls that run now; of Train, its open streams.",
    services=_ALL,
    labels=("method",),
)
RPC_WAITING = Metric(
    name="fleet_rpc_waiting",
    kind=MetricKind.GAUGE,
    meaning="Unary calls that wait for a worker: the depth of the queue.",
    services=_ALL,
)
RPC_WORKERS = Metric(
    name="fleet_rpc_workers",
    kind=MetricKind.GAUGE,
    meaning="Workers that there are, of unary calls (call) and of streams (stream).",
    services=_ALL,
    labels=("pool",),
)
RPC_WORKERS_BUSY = Metric(
    name="fleet_rpc_workers_busy",
    kind=MetricKind.GAUGE,
    meaning="Workers that have a call; of the pool stream, the streams that are open.",
    services=_ALL,
    labels=("pool",),
)

# Health.
SERVING = Metric(
    name="fleet_serving",
    kind=MetricKind.GAUGE,
    meaning="1 while the service answers SERVING, else 0.",
    services=_ALL,
)
DEPENDENCY_UP = Metric(
    name="fleet_dependency_up",
    kind=MetricKind.GAUGE,
    meaning="1 while a dependency answers (redis, artifacts, children), else 0.",
    services=_ALL,
    labels=("dependency",),
)

# Stores.
REDIS_SECONDS = Metric(
    name="fleet_redis_seconds",
    kind=MetricKind.HISTOGRAM,
    meaning="Time of a command to Redis, its retries included, in seconds.",
    services=_ALL,
    labels=("command",),
    buckets=_STORE_BUCKETS_S,
)
REDIS_ERRORS = Metric(
    name="fleet_redis_errors_total",
    kind=MetricKind.COUNTER,
    meaning="Commands to Redis that failed: it did not answer, or refused them.",
    services=_ALL,
)
ARTIFACT_SECONDS = Metric(
    name="fleet_artifact_seconds",
    kind=MetricKind.HISTOGRAM,
    meaning="Time of an operation of the artifact store (put, get, delete, remove_unused), in "
    "seconds.",
    services=_STORING,
    labels=("operation",),
    buckets=_STORE_BUCKETS_S,
)
ARTIFACT_BYTES = Metric(
    name="fleet_artifact_bytes_total",
    kind=MetricKind.COUNTER,
    meaning="Bytes moved to (put) and from (get) the artifact store.",
    services=_STORING,
    labels=("operation",),
)
ARTIFACT_REMOVED_BYTES = Metric(
    name="fleet_artifact_removed_bytes_total",
    kind=MetricKind.COUNTER,
    meaning="Bytes removed from the artifact store since nobody used them any more.",
    services=_STORING,
)
ARTIFACT_ERRORS = Metric(
    name="fleet_artifact_errors_total",
    kind=MetricKind.COUNTER,
    meaning="Operations of the artifact store that failed: gone, full, or the volume is away.",
    services=_STORING,
)
ARTIFACT_FREE_BYTES = Metric(
    name="fleet_artifact_volume_free_bytes",
    kind=MetricKind.GAUGE,
    meaning="Room left on the artifact volume for a process without privileges.",
    services=_STORING,
)

# Sessions.
SESSIONS_OPEN = Metric(
    name="fleet_sessions_open",
    kind=MetricKind.GAUGE,
    meaning="Sessions in Redis that have not expired; every replica tells the same number.",
    services=("session",),
)

# Inference.
PIPELINES_READY = Metric(
    name="fleet_pipelines_ready",
    kind=MetricKind.GAUGE,
    meaning="Materialised pipelines that stand ready.",
    services=("inference",),
)
PIPELINES_BYTES = Metric(
    name="fleet_pipelines_bytes",
    kind=MetricKind.GAUGE,
    meaning="Parameters and buffers of the pipelines that stand ready.",
    services=("inference",),
)
PIPELINES_CAPACITY_BYTES = Metric(
    name="fleet_pipelines_capacity_bytes",
    kind=MetricKind.GAUGE,
    meaning="What these may take before the least recently used one has to go.",
    services=("inference",),
)
PIPELINE_LOOKUPS = Metric(
    name="fleet_pipeline_lookups_total",
    kind=MetricKind.COUNTER,
    meaning="Calls that needed a pipeline: it stood ready (hit), another call was building it "
    "(wait), or it had to be built (miss).",
    services=("inference",),
    labels=("outcome",),
)
PIPELINES_EVICTED = Metric(
    name="fleet_pipelines_evicted_total",
    kind=MetricKind.COUNTER,
    meaning="Pipelines that had to go for others.",
    services=("inference",),
)
MATERIALISE_SECONDS = Metric(
    name="fleet_materialise_seconds",
    kind=MetricKind.HISTOGRAM,
    meaning="Time to build a pipeline and put it on the device, in seconds.",
    services=("inference",),
    buckets=_BUILD_BUCKETS_S,
)
INFERENCE_PIXELS = Metric(
    name="fleet_inference_pixels_total",
    kind=MetricKind.COUNTER,
    meaning="Pixels of the cubes of Inference that were answered.",
    services=("inference",),
)

# Training.
RUNS = Metric(
    name="fleet_runs",
    kind=MetricKind.GAUGE,
    meaning="Trainings of the whole fleet that wait (queued) or are worked on (running); every "
    "trainer tells the same numbers.",
    services=("trainer",),
    labels=("state",),
)
RUNS_ENDED = Metric(
    name="fleet_runs_ended_total",
    kind=MetricKind.COUNTER,
    meaning="Trainings that ended here: complete, failed, cancelled or rejected.",
    services=("trainer",),
    labels=("state",),
)
RUN_SECONDS = Metric(
    name="fleet_run_seconds",
    kind=MetricKind.HISTOGRAM,
    meaning="Time that a child process worked on a training, in seconds.",
    services=("trainer",),
    labels=("type",),
    buckets=_RUN_BUCKETS_S,
)
EPOCHS = Metric(
    name="fleet_epochs_total",
    kind=MetricKind.COUNTER,
    meaning="Epochs of gradient training that were completed.",
    services=("trainer",),
)
PROGRESS_MESSAGES = Metric(
    name="fleet_progress_messages_total",
    kind=MetricKind.COUNTER,
    meaning="Messages written to the streams of trainings.",
    services=("trainer",),
)
TRAIN_SLOTS = Metric(
    name="fleet_train_slots",
    kind=MetricKind.GAUGE,
    meaning="Trainings that this trainer may work on at the same time.",
    services=("trainer",),
)
TRAIN_CHILDREN = Metric(
    name="fleet_train_children",
    kind=MetricKind.GAUGE,
    meaning="Child processes that work on a training (busy), stand ready (idle) or still import "
    "(starting).",
    services=("trainer",),
    labels=("state",),
)
TRAIN_CHILDREN_BYTES = Metric(
    name="fleet_train_children_resident_bytes",
    kind=MetricKind.GAUGE,
    meaning="Resident memory of the child processes together.",
    services=("trainer",),
)
TRAIN_CHILD_DEATHS = Metric(
    name="fleet_train_child_deaths_total",
    kind=MetricKind.COUNTER,
    meaning="Child processes that died without being asked to end.",
    services=("trainer",),
)

# Devices.
GPU_MEMORY_USED_BYTES = Metric(
    name="fleet_gpu_memory_used_bytes",
    kind=MetricKind.GAUGE,
    meaning="Memory of a GPU that is taken, by whomever.",
    services=_COMPUTING,
    labels=("gpu",),
    only_with="an NVIDIA GPU",
)
GPU_MEMORY_TOTAL_BYTES = Metric(
    name="fleet_gpu_memory_total_bytes",
    kind=MetricKind.GAUGE,
    meaning="Memory of a GPU.",
    services=_COMPUTING,
    labels=("gpu",),
    only_with="an NVIDIA GPU",
)

METRICS: tuple[Metric, ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Metric)
)
"""All of the above."""

LIBRARY_METRICS: tuple[Metric, ...] = (
    *(
        Metric(name=name, kind=kind, meaning=meaning, services=_ALL)
        for name, kind, meaning in (
            ("process_virtual_memory_bytes", MetricKind.GAUGE, "Virtual memory of the process."),
            ("process_resident_memory_bytes", MetricKind.GAUGE, "Resident memory of the process."),
            ("process_start_time_seconds", MetricKind.GAUGE, "Unix time of the process's start."),
            ("process_cpu_seconds_total", MetricKind.COUNTER, "CPU time of the process."),
            ("process_open_fds", MetricKind.GAUGE, "File descriptors that are open."),
            ("process_max_fds", MetricKind.GAUGE, "File descriptors that may be open."),
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
            ("python_gc_objects_collected_total", "Objects that collections freed."),
            ("python_gc_objects_uncollectable_total", "Objects that they could not free."),
            ("python_gc_collections_total", "Collections."),
        )
    ),
)
"""What ``prometheus_client`` tells of each process."""
