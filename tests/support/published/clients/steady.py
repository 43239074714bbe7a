"""A client of a published message package that infers without a pause, and does nothing else.

Called as ``python steady.py ADDRESS SESSION SCENE.npz THREADS``. It prints the seconds that each
answered call took, a line each. A call that fails ends it with the error; the end of its input ends
it in order.
"""

import sys
import threading
import time

import grpc
import numpy as np
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2 as pb2
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2_grpc

DEADLINE_S = 300.0


def request_of(session_id, scene):
    """Inference on one cube of the scene."""
    with np.load(scene) as data:
        cube, wavelengths = data["cube"][1:2], data["wavelengths"][None, :]
    return pb2.InferenceRequest(
        session_id=session_id,
        inputs=pb2.InputBatch(
            cube=pb2.Tensor(
                shape=cube.shape, dtype=pb2.D_TYPE_UINT16, raw_data=cube.astype("<u2").tobytes()
            ),
            wavelengths=pb2.Tensor(
                shape=wavelengths.shape,
                dtype=pb2.D_TYPE_INT32,
                raw_data=wavelengths.astype("<i4").tobytes(),
            ),
        ),
        output_specs=["decisions"],
    )


def main(address, session_id, scene, threads):
    request = request_of(session_id, scene)
    stop, failures = threading.Event(), []

    def work():
        with grpc.insecure_channel(address) as channel:
            stub = cuvis_ai_pb2_grpc.CuvisAIServiceStub(channel)
            while not stop.is_set():
                started_s = time.perf_counter()
                try:
                    stub.Inference(request, timeout=DEADLINE_S)
                except grpc.RpcError as error:
                    failures.append(f"{error.code().name}: {error.details()}")
                    stop.set()
                else:
                    sys.stdout.write(f"{time.perf_counter() - started_s:.4f}\n")
                    sys.stdout.flush()

    workers = [threading.Thread(target=work) for _ in range(int(threads))]
    for worker in workers:
        worker.start()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    for worker in workers:
        worker.join()
    if failures:
        sys.exit("; ".join(failures))


if __name__ == "__main__":
    main(*sys.argv[1:])
