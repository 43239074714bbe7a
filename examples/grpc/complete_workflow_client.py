"""The complete workflow from a configuration to a saved, trained pipeline and a result.

Usage: ``python examples/grpc/complete_workflow_client.py [HOST:PORT] [OVERRIDE...]``.
``run_inference.py`` and ``restore_trainrun_grpc.py`` can use the files that it saves.
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

from cuvis_fleet.demo.synthetic_scene import WAVELENGTHS_NM, make_synthetic_scene
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2

PIPELINE_PATH = "examples/channel_selector.yaml"
TRAINRUN_PATH = "examples/channel_selector_trainrun.yaml"
_PHASES = (cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL, cuvis_ai_pb2.TRAINER_TYPE_GRADIENT)


def main(server_address: str, overrides: list[str]) -> None:
    """Resolve, train, save and infer on the server at `server_address`."""
    stub = build_stub(server_address)
    with grpc_session(stub) as session_id:
        print("1. Configuration")
        resolved, config = resolve_trainrun_config(
            stub, session_id, "channel_selector", ["training.trainer.max_epochs=3", *overrides]
        )
        apply_trainrun_config(stub, session_id, resolved.config_bytes)
        print(f"  {config['name']}, {len(config['pipeline']['nodes'])} nodes")

        print("2. Training")
        for trainer in _PHASES:
            request = cuvis_ai_pb2.TrainRequest(session_id=session_id, trainer_type=trainer)
            for progress in stub.Train(request):
                print(" ", format_progress(progress))

        print("3. Saving")
        pipeline = stub.SavePipeline(
            cuvis_ai_pb2.SavePipelineRequest(session_id=session_id, pipeline_path=PIPELINE_PATH)
        )
        trainrun = stub.SaveTrainRun(
            cuvis_ai_pb2.SaveTrainRunRequest(
                session_id=session_id, trainrun_path=TRAINRUN_PATH, save_weights=True
            )
        )
        print(f"  {pipeline.pipeline_path}, {pipeline.weights_path}")
        print(f"  {trainrun.trainrun_path}, {trainrun.weights_path}")

        print("4. Inference")
        cube, truth = make_synthetic_scene()
        inference = stub.Inference(
            cuvis_ai_pb2.InferenceRequest(
                session_id=session_id,
                inputs=cuvis_ai_pb2.InputBatch(
                    cube=numpy_to_proto(cube[None]),
                    wavelengths=numpy_to_proto(WAVELENGTHS_NM.round().astype(np.int32)[None]),
                ),
                output_specs=["scores"],
            )
        )
        for name, tensor in inference.outputs.items():
            scores = proto_to_numpy(tensor)[0, :, :, 0]
            print(f"  {name}: {scores.dtype}{list(scores.shape)}")
            print(f"  median: targets {np.median(scores[truth]):.1f}, ", end="")
            print(f"background {np.median(scores[~truth]):.1f}")


if __name__ == "__main__":
    chosen = example_parser("Resolve, train, save and infer.").parse_args()
    main(chosen.server_address, [*data_overrides(chosen), *chosen.overrides])
