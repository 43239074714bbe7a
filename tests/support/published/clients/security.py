"""A short job with a published message package and nothing else, through a secured gateway.

Runs in a separate environment: ``python security.py ADDRESS CUBES.npz SECURITY.json``. The JSON has
``ca`` (file of the authority that the server's certificate is from; none: in clear),
``certificate`` and ``key`` (files of the client's own), ``metadata`` of each call, and the
``steps`` to take. Prints what came of each as JSON and ends with the first that was refused.
"""

import json
import sys
from pathlib import Path

import grpc
import numpy as np
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2 as pb2
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2_grpc

DEADLINE_S = 300.0


def channel_to(address, security):
    """A channel as the guide opens one."""
    if "ca" not in security:
        return grpc.insecure_channel(address)
    files = [security.get(name) for name in ("ca", "key", "certificate")]
    read = [Path(file).read_bytes() if file else None for file in files]
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(*read))


class Job:
    """The steps, each with what the last ones gave."""

    def __init__(self, stub, metadata, cubes):
        self.stub, self.metadata, self.cubes = stub, metadata, cubes
        self.session_id = self.trainrun = None

    def call(self, method, **fields):
        request = getattr(pb2, f"{method}Request")(**fields)
        return getattr(self.stub, method)(request, timeout=DEADLINE_S, metadata=self.metadata)

    def create(self):
        self.session_id = self.call("CreateSession").session_id

    def resolve(self):
        self.trainrun = self.call(
            "ResolveConfig",
            session_id=self.session_id,
            config_type="trainrun",
            path="trainrun/rx_statistical",
            overrides=["data.cu3s_file_path=scene.npz", "data.annotation_json_path=null"],
        ).config_bytes

    def train(self):
        self.call(
            "SetTrainRunConfig",
            session_id=self.session_id,
            config=pb2.TrainRunConfig(config_bytes=self.trainrun),
        )
        messages = list(
            self.call(
                "Train", session_id=self.session_id, trainer_type=pb2.TRAINER_TYPE_STATISTICAL
            )
        )
        assert messages[-1].status == pb2.TRAIN_STATUS_COMPLETE

    def infer(self):
        cube, wavelengths = self.cubes["cube"][:1], self.cubes["wavelengths"][None]
        inputs = pb2.InputBatch(cube=tensor(cube), wavelengths=tensor(wavelengths))
        answer = self.call("Inference", session_id=self.session_id, inputs=inputs)
        assert answer.outputs

    def close(self):
        self.call("CloseSession", session_id=self.session_id)


def tensor(array):
    dtypes = {"float32": pb2.D_TYPE_FLOAT32, "uint16": pb2.D_TYPE_UINT16, "int32": pb2.D_TYPE_INT32}
    return pb2.Tensor(shape=array.shape, dtype=dtypes[array.dtype.name], raw_data=array.tobytes())


def main(address, cubes, security):
    security = json.loads(Path(security).read_text(encoding="utf-8"))
    outcomes = []
    with np.load(cubes) as stored, channel_to(address, security) as channel:
        metadata = tuple(security.get("metadata", {}).items())
        job = Job(cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel), metadata, dict(stored))
        for step in security["steps"]:
            try:
                getattr(job, step)()
            except grpc.RpcError as error:
                outcomes.append([step, error.code().name, error.details()])
                break
            outcomes.append([step, "OK", ""])
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(*sys.argv[1:])
