"""Run a saved pipeline on every measurement of a local file.

Usage: ``python examples/grpc/run_inference.py [FILE] [--pipeline-path P --weights-path W]``. The
file is an ENVI header, ``.npz``, ``.npy``, ``.mat`` or ``.tif``; the defaults are the
synthetic scene and the fitted pipeline that ships with the server.
"""

from argparse import ArgumentParser
from pathlib import Path

import numpy as np
from workflow_utils import build_stub, grpc_session, numpy_to_proto, proto_to_numpy

from cuvis_fleet.demo.synthetic_scene import WAVELENGTHS_NM, make_synthetic_scene
from cuvis_fleet.formats import Scene, read_scenes, write_result
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2

_MIB = 1024**2


def run_inference(
    scenes: list[Scene],
    pipeline_path: str,
    weights_path: str,
    server_address: str = "localhost:50051",
    output_dir: Path | None = None,
) -> None:
    """Load a pipeline with its weights and run it on each scene.

    Args:
        scenes: the scenes.
        pipeline_path: path of the configuration on the server.
        weights_path: path of the weights on the server.
        server_address: host and port.
        output_dir: folder for an ``.npz`` file with each scene's outputs; None: not written.
    """
    stub = build_stub(server_address, max_msg_size=600 * _MIB)
    with grpc_session(stub) as session_id:
        config = stub.ResolveConfig(
            cuvis_ai_pb2.ResolveConfigRequest(
                session_id=session_id, config_type="pipeline", path=pipeline_path
            )
        )
        stub.LoadPipeline(
            cuvis_ai_pb2.LoadPipelineRequest(
                session_id=session_id,
                pipeline=cuvis_ai_pb2.PipelineConfig(config_bytes=config.config_bytes),
            )
        )
        loaded = stub.LoadPipelineWeights(
            cuvis_ai_pb2.LoadPipelineWeightsRequest(
                session_id=session_id, weights_path=weights_path, strict=True
            )
        )
        print(f"Weights: {loaded.resolved_path}")
        for index, scene in enumerate(scenes):
            inference = stub.Inference(
                cuvis_ai_pb2.InferenceRequest(
                    session_id=session_id,
                    inputs=cuvis_ai_pb2.InputBatch(
                        cube=numpy_to_proto(scene.cube_HWC[None]),
                        wavelengths=numpy_to_proto(
                            scene.sent_wavelengths.round().astype(np.int32)[None]
                        ),
                    ),
                    output_specs=["scores", "decisions"],
                )
            )
            outputs = {name: proto_to_numpy(each) for name, each in inference.outputs.items()}
            shapes = {name: list(values.shape) for name, values in sorted(outputs.items())}
            print(f"{scene.name} {index}: {shapes}")
            if output_dir is not None:
                output_dir.mkdir(parents=True, exist_ok=True)
                write_result(outputs, output_dir / f"{scene.name}_{index}.npz")


def _arguments() -> ArgumentParser:
    parser = ArgumentParser(description="Run a saved pipeline on a local file.")
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--server-address", default="localhost:50051", metavar="HOST:PORT")
    parser.add_argument("--pipeline-path", default="pipeline/rx_statistical")
    parser.add_argument("--weights-path", default="pipeline/rx_statistical.pt")
    parser.add_argument("--output-dir", type=Path)
    return parser


if __name__ == "__main__":
    chosen = _arguments().parse_args()
    if chosen.file is None:
        cube, _ = make_synthetic_scene()
        chosen_scenes = [Scene(cube, WAVELENGTHS_NM, name="synthetic")]
    else:
        chosen_scenes = read_scenes(chosen.file)
    run_inference(
        chosen_scenes,
        chosen.pipeline_path,
        chosen.weights_path,
        chosen.server_address,
        chosen.output_dir,
    )
