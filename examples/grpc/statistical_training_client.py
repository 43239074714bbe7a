"""Train the RX detector statistically and run it, using the generated gRPC messages.

Usage: ``python examples/grpc/statistical_training_client.py [HOST:PORT] [OVERRIDE...]``
"""

import numpy as np
from example_data import data_overrides, example_parser
from workflow_utils import (
    apply_trainrun_config,
    build_stub,
    format_progress,
    grpc_session,
    numpy_to_proto,
    proto_to_numpy,
    resolve_trainrun_config,
)

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2


def main(server_address: str, overrides: list[str]) -> None:
    """Train and infer on the server at `server_address`."""
    stub = build_stub(server_address)
    with grpc_session(stub) as session_id:
        resolved, config = resolve_trainrun_config(
            stub, session_id, "rx_statistical", ["training.seed=123", *overrides]
        )
        apply_trainrun_config(stub, session_id, resolved.config_bytes)
        print(f"Trainrun {config['name']} on {config['data']['cu3s_file_path']}")

        request = cuvis_ai_pb2.TrainRequest(
            session_id=session_id, trainer_type=cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL
        )
        for progress in stub.Train(request):
            print(format_progress(progress))

        bands = next(
            node["hparams"]["num_channels"]
            for node in config["pipeline"]["nodes"]
            if "num_channels" in node["hparams"]
        )
        cube = np.random.default_rng(123).integers(0, 4096, (1, 32, 32, bands), dtype=np.uint16)
        wavelengths = np.linspace(430, 910, bands).round().astype(np.int32)[None]
        inference = stub.Inference(
            cuvis_ai_pb2.InferenceRequest(
                session_id=session_id,
                inputs=cuvis_ai_pb2.InputBatch(
                    cube=numpy_to_proto(cube), wavelengths=numpy_to_proto(wavelengths)
                ),
                output_specs=["scores", "decisions"],
            )
        )
        for name, tensor in sorted(inference.outputs.items()):
            values = proto_to_numpy(tensor)
            print(f"{name}: {values.dtype}{list(values.shape)}, mean {values.mean():.4g}")


if __name__ == "__main__":
    chosen = example_parser("Train the RX detector statistically and run it.").parse_args()
    main(chosen.server_address, [*data_overrides(chosen), *chosen.overrides])
