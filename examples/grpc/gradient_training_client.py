"""Train Deep SVDD statistically, then by gradients, and print losses and metrics.

Usage: ``python examples/grpc/gradient_training_client.py [HOST:PORT] [OVERRIDE...]``
"""

from example_data import data_overrides, example_parser
from workflow_utils import (
    apply_trainrun_config,
    build_stub,
    format_progress,
    grpc_session,
    resolve_trainrun_config,
    train_with_retry,
)

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2


def main(server_address: str, overrides: list[str]) -> None:
    """Train in two phases on the server at `server_address`."""
    stub = build_stub(server_address)
    with grpc_session(stub) as session_id:
        resolved, config = resolve_trainrun_config(
            stub,
            session_id,
            "deep_svdd",
            ["training.trainer.max_epochs=5", "training.optimizer.lr=0.0005", *overrides],
        )
        apply_trainrun_config(stub, session_id, resolved.config_bytes)
        print(f"Trainrun {config['name']}, losses {', '.join(config['loss_nodes'])}")
        for title, trainer in (
            ("Statistical initialization", cuvis_ai_pb2.TRAINER_TYPE_STATISTICAL),
            ("Gradient training", cuvis_ai_pb2.TRAINER_TYPE_GRADIENT),
        ):
            print(title)
            # A broken connection does not end the training; this call reconnects to it.
            for progress in train_with_retry(stub, session_id, trainer):
                print(" ", format_progress(progress))


if __name__ == "__main__":
    chosen = example_parser("Train Deep SVDD statistically, then by gradients.").parse_args()
    main(chosen.server_address, [*data_overrides(chosen), *chosen.overrides])
