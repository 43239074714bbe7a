"""A stack with a session in each state, and the situations in which errors occur."""

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import torch
import yaml

from fleet_local.background import BackgroundStack, background_stack
from fleet_platform.ports import free_ports
from fleet_platform.rpc import connect
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb2
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2_grpc
from fleet_proto.methods import METHODS_BY_SERVICE
from tests.e2e.errors.row import Row, Session, Situation
from tests.e2e.errors.rows import trainrun
from tests.support.processes.redis_server import RedisServer
from tests.support.scenes.lentils_scene import MEASUREMENTS, SIDE
from tests.support.stacks import REPOSITORY, stack_environment
from tests.support.wire import Refusal, Wire

SERVICE, GATEWAY = "service", "gateway"
ENTRY_POINTS = (SERVICE, GATEWAY)
"""Where a call is sent: directly to the service, or to the gateway."""

SERVICE_OF = {method: name for name, methods in METHODS_BY_SERVICE.items() for method in methods}
_FROM_NPZ = ("data.cu3s_file_path=scene.npz", "data.annotation_json_path=null")
_WITHOUT_END = ("training.trainer.max_epochs=10000", "training.trainer.callbacks=null")
_WAITING = 8
_NARROW_BANDS = 5


class ByMethod:
    """Sends each call to the service that answers its method, as if it were one channel."""

    def __init__(self, channels: dict[str, grpc.Channel]) -> None:
        self._channels = channels

    def unary_unary(self, path: str, *args: Any, **options: Any) -> Any:
        return self._channel(path).unary_unary(path, *args, **options)

    def unary_stream(self, path: str, *args: Any, **options: Any) -> Any:
        return self._channel(path).unary_stream(path, *args, **options)

    def _channel(self, path: str) -> grpc.Channel:
        return self._channels[SERVICE_OF[path.rpartition("/")[2]]]


class PreparedStack:
    """Calls at either entry point, about sessions that both share.

    Attributes:
        channels: by entry point.
    """

    def __init__(self, channels: dict[str, Any], redis: RedisServer) -> None:
        """Open all sessions; no training runs yet."""
        self.channels = channels
        self._redis = redis
        self._wires = {entry: Wire(channel) for entry, channel in channels.items()}
        self._calls = self._wires[GATEWAY]
        self._situation = Situation.AT_REST
        rx = self._resolved("trainrun/rx_statistical")
        selector = self._resolved("trainrun/channel_selector", *_WITHOUT_END)
        self._trainrun = rx
        loaded = self._session()
        pipeline = self._calls.resolve(loaded, "pipeline", "pipeline/anomaly/rx/rx_statistical")
        self._calls.load(loaded, pipeline)
        self._sessions = {
            Session.NEW: self._session(),
            Session.LOADED: loaded,
            Session.FITTED: self._session(rx),
            Session.GRADIENT: self._session(selector),
            Session.TRAINING: self._session(selector),
        }
        self._calls.train(self._sessions[Session.FITTED])
        self._calls.call(
            "SaveTrainRun",
            session_id=self._sessions[Session.FITTED],
            trainrun_path=trainrun.SAVED,
            save_weights=True,
        )

    def refused(self, entry: str, row: Row) -> Refusal:
        """Enter the row's situation and return how its call is refused."""
        self._enter(row.situation)
        given = row.fields()
        if row.in_session:
            given.setdefault("session_id", self._sessions[row.session])
        return self._wires[entry].refused(row.method, **given)

    def all_refused(self, entry: str, rows: Sequence[Row]) -> list[Refusal]:
        """Return how the rows' calls are refused, all sent at once because each takes long."""
        for row in rows:
            self._enter(row.situation)
        with ThreadPoolExecutor(len(rows)) as pool:
            return list(pool.map(lambda row: self.refused(entry, row), rows))

    def expected(self, row: Row) -> Row:
        """Return the row with its complete text."""
        session_id = row.fields().get("session_id", self._sessions[row.session])
        return row.with_text(row.text.replace("<session_id>", session_id))

    def _session(self, config: bytes = b"") -> str:
        session_id = self._calls.session()
        if config:
            self._calls.apply(session_id, config)
        return session_id

    def _resolved(self, path: str, *overrides: str) -> bytes:
        return self._calls.resolve(self._session(), "trainrun", path, (*_FROM_NPZ, *overrides))

    def _enter(self, wanted: Situation) -> None:
        assert self._situation.value <= wanted.value, (
            "situations are entered in order and never left"
        )
        steps = {
            Situation.SLOT_TAKEN: self._take_slot,
            Situation.TRAINING_QUEUE_FULL: self._fill_queue,
            Situation.STORE_DOWN: self._redis.stop,
        }
        for situation, step in steps.items():
            if self._situation.value < situation.value <= wanted.value:
                # Recorded first, so that a step that fails is not repeated for each row.
                self._situation = situation
                step()

    def _take_slot(self) -> None:
        self._begin(self._sessions[Session.TRAINING], pb2.TRAINER_TYPE_GRADIENT)

    def _fill_queue(self) -> None:
        for _ in range(_WAITING):
            self._begin(self._session(self._trainrun), pb2.TRAINER_TYPE_STATISTICAL)

    def _begin(self, session_id: str, trainer_type: "pb2.TrainerType.ValueType") -> None:
        """Start or queue a training, which continues without a follower."""
        stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(self.channels[GATEWAY])
        request = pb2.TrainRequest(session_id=session_id, trainer_type=trainer_type)
        stream = stub.Train(request, timeout=300)
        next(stream)
        stream.cancel()


@contextmanager
def prepared_stack(folder: Path, data_dir: Path) -> Iterator[PreparedStack]:
    """Start a stack on a store that can be stopped, with the files that rows name."""
    _write_files(folder, data_dir)
    with ExitStack() as undo:
        redis = undo.enter_context(RedisServer(folder / "redis"))
        settings = {"REDIS_URL": redis.url, "CUVIS_CONFIGS_DIR": str(folder / "configs")}
        environment = stack_environment(folder, data_dir, settings)
        stack = undo.enter_context(background_stack(free_ports(1)[0], folder / "run", environment))
        services = {
            name: undo.enter_context(connect(f"127.0.0.1:{_port(stack, name)}"))
            for name in METHODS_BY_SERVICE
        }
        gateway = undo.enter_context(connect(stack.address))
        yield PreparedStack({SERVICE: ByMethod(services), GATEWAY: gateway}, redis)


def _port(stack: BackgroundStack, service: str) -> int:
    return stack.part(service)["port"]


def _write_files(folder: Path, data_dir: Path) -> None:
    configs, outputs = folder / "configs", folder / "outputs"
    shutil.copytree(REPOSITORY / "configs", configs)
    twin = (configs / "pipeline" / "rx_statistical.yaml").read_text(encoding="utf-8")
    for name in ("site_a", "site_b"):
        (configs / "pipeline" / name).mkdir()
        (configs / "pipeline" / name / "lab.yaml").write_text(twin, encoding="utf-8")
    (outputs / "errors").mkdir(parents=True)
    torch.save(
        {"state_dict": {"RXGlobal": {"mu": torch.zeros(_NARROW_BANDS)}}, "metadata": {}},
        outputs / trainrun.OTHER_WEIGHTS,
    )
    for path, content in {
        trainrun.NO_TRAINRUN: {"remark": "no trainrun"},
        trainrun.WITHOUT_PIPELINE: {"name": "x", "data": {"cu3s_file_path": "scene.npz"}},
    }.items():
        (outputs / path).write_text(yaml.safe_dump(content), encoding="utf-8")
    np.savez(
        data_dir / "narrow.npz",
        cube=np.ones((MEASUREMENTS, SIDE, SIDE, _NARROW_BANDS), np.uint16),
        wavelengths=np.arange(_NARROW_BANDS, dtype=np.int32),
    )
