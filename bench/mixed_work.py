"""A small version of a lab's workload: sessions, configs, training, inference, figures."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence

import grpc

from bench.inference_calls import tensor_of
from bench.scene import cube, wavelengths_nm
from bench.session_calls import Stub, apply_trainrun, close_session, open_session, resolve, train
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb

_SIDES = (16, 29, 48, 64, 96, 128)
_DEADLINE_S = 120.0


class MixedWork:
    """Jobs of many kinds, each in a separate session that is closed at its end.

    Attributes:
        jobs: number of finished jobs by kind.
        failures: number of failed calls by status and text.
    """

    def __init__(self, stub: Stub, data_path: str, training_ids: Sequence[int]) -> None:
        self._stub = stub
        self._data_path = data_path
        self._training_ids = list(training_ids)
        self._lock = threading.Lock()
        self._kinds: list[Callable[[str, random.Random], None]] = [
            self._discover,
            self._train_and_infer,
            self._look_at_ports,
            self._save_and_load,
            self._draw,
        ]
        self.jobs: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    def work(self, seed: int, pause_s: float, ending: threading.Event) -> None:
        """Do jobs chosen by the seed, with pauses in between, until the event is set."""
        chance = random.Random(seed)
        while not ending.wait(pause_s):
            job = chance.choice(self._kinds)
            try:
                session_id = open_session(self._stub)
                job(session_id, chance)
                close_session(self._stub, session_id)
            except grpc.RpcError as error:
                with self._lock:
                    self.failures[f"{error.code().name}: {error.details()}"] += 1
            with self._lock:
                self.jobs[job.__name__.strip("_")] += 1

    def _discover(self, session_id: str, _chance: random.Random) -> None:
        self._stub.ListAvailablePipelines(pb.ListAvailablePipelinesRequest())
        self._stub.ListAvailableNodes(pb.ListAvailableNodesRequest(session_id=session_id))
        self._stub.GetParameterSchema(pb.GetParameterSchemaRequest(config_type="training"))

    def _train_and_infer(self, session_id: str, chance: random.Random) -> None:
        self._train(session_id, chance)
        for _ in range(5):
            self._infer(session_id, chance)

    def _look_at_ports(self, session_id: str, chance: random.Random) -> None:
        self._apply(session_id, chance)
        self._stub.GetPipelineInputs(pb.GetPipelineInputsRequest(session_id=session_id))
        self._stub.GetPipelineOutputs(pb.GetPipelineOutputsRequest(session_id=session_id))

    def _save_and_load(self, session_id: str, chance: random.Random) -> None:
        self._train(session_id, chance)
        name = f"soak_{chance.randrange(8)}_{threading.get_ident()}"
        saved = self._stub.SavePipeline(
            pb.SavePipelineRequest(session_id=session_id, pipeline_path=f"{name}.yaml"),
            timeout=_DEADLINE_S,
        )
        self._stub.LoadPipelineWeights(
            pb.LoadPipelineWeightsRequest(session_id=session_id, weights_path=saved.weights_path),
            timeout=_DEADLINE_S,
        )
        self._infer(session_id, chance)

    def _draw(self, session_id: str, chance: random.Random) -> None:
        self._apply(session_id, chance)
        for kind in ("png", "svg", "dot", "mermaid"):
            self._stub.GetPipelineVisualization(
                pb.GetPipelineVisualizationRequest(session_id=session_id, format=kind),
                timeout=_DEADLINE_S,
            )

    def _apply(self, session_id: str, chance: random.Random) -> None:
        count = chance.randint(1, len(self._training_ids))
        ids = chance.sample(self._training_ids, count)
        trainrun = resolve(self._stub, session_id, self._data_path, ids)()
        apply_trainrun(self._stub, session_id, trainrun)

    def _train(self, session_id: str, chance: random.Random) -> None:
        self._apply(session_id, chance)
        train(self._stub, session_id)

    def _infer(self, session_id: str, chance: random.Random) -> None:
        request = pb.InferenceRequest(
            session_id=session_id,
            inputs=pb.InputBatch(
                cube=tensor_of(cube(chance.choice(_SIDES)), pb.D_TYPE_UINT16),
                wavelengths=tensor_of(wavelengths_nm()[None], pb.D_TYPE_INT32),
            ),
        )
        self._stub.Inference(request, timeout=_DEADLINE_S)
