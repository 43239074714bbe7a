"""Restore a saved trainrun: inspect it, continue its training, or validate or test it.

Usage: ``python examples/grpc/restore_trainrun_grpc.py [--trainrun-path T] [--weights-path W]
[--mode info|train|validate|test]``. Without paths it restores the trainrun that
``complete_workflow_client.py`` saved.
"""

from argparse import ArgumentParser
from collections.abc import Mapping

from complete_workflow_client import TRAINRUN_PATH
from workflow_utils import build_stub, format_progress

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2, cuvis_ai_pb2_grpc

_STAGES = {
    "train": None,
    "validate": cuvis_ai_pb2.EXECUTION_STAGE_VAL,
    "test": cuvis_ai_pb2.EXECUTION_STAGE_TEST,
}
"""The stage whose messages a mode prints; None: all. Each training validates and tests."""


def restore_trainrun(
    trainrun_path: str,
    mode: str = "info",
    weights_path: str | None = None,
    server_address: str = "localhost:50051",
) -> None:
    """Restore a trainrun into a new session and print its ports or train it.

    Args:
        trainrun_path: path of the saved trainrun on the server.
        mode: ``info``, ``train``, ``validate`` or ``test``.
        weights_path: weights file on the server: ``.pt``, Lightning's ``.ckpt`` or
            ``.safetensors``; None: the initial weights.
        server_address: host and port.
    """
    stub = build_stub(server_address)
    restored = stub.RestoreTrainRun(
        cuvis_ai_pb2.RestoreTrainRunRequest(
            trainrun_path=trainrun_path, weights_path=weights_path, strict=True
        )
    )
    session_id = restored.session_id
    try:
        if mode == "info":
            _print_info(stub, session_id)
        else:
            _train(stub, session_id, mode)
    finally:
        stub.CloseSession(cuvis_ai_pb2.CloseSessionRequest(session_id=session_id))


def _print_info(stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub, session_id: str) -> None:
    inputs = stub.GetPipelineInputs(cuvis_ai_pb2.GetPipelineInputsRequest(session_id=session_id))
    outputs = stub.GetPipelineOutputs(cuvis_ai_pb2.GetPipelineOutputsRequest(session_id=session_id))
    _print_ports("Inputs", inputs.input_specs)
    _print_ports("Outputs", outputs.output_specs)


def _print_ports(title: str, specs: Mapping[str, cuvis_ai_pb2.TensorSpec]) -> None:
    print(title)
    for name, spec in sorted(specs.items()):
        dtype = cuvis_ai_pb2.DType.Name(spec.dtype).removeprefix("D_TYPE_").lower()
        dtype = "any" if dtype == "unspecified" else dtype
        print(f"  {name}: {dtype}{list(spec.shape)}{' (required)' if spec.required else ''}")


def _train(stub: cuvis_ai_pb2_grpc.CuvisAIServiceStub, session_id: str, mode: str) -> None:
    request = cuvis_ai_pb2.TrainRequest(
        session_id=session_id, trainer_type=cuvis_ai_pb2.TRAINER_TYPE_GRADIENT
    )
    for progress in stub.Train(request):
        if _STAGES[mode] in {None, progress.context.stage}:
            print(format_progress(progress))


if __name__ == "__main__":
    parser = ArgumentParser(description="Restore a saved trainrun.")
    parser.add_argument("--trainrun-path", default=TRAINRUN_PATH)
    parser.add_argument("--weights-path")
    parser.add_argument("--mode", choices=("info", *_STAGES), default="info")
    parser.add_argument("--server-address", default="localhost:50051", metavar="HOST:PORT")
    chosen = parser.parse_args()
    restore_trainrun(chosen.trainrun_path, chosen.mode, chosen.weights_path, chosen.server_address)
