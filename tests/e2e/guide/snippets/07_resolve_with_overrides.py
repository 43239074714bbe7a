from workflow_utils import resolve_trainrun_config, apply_trainrun_config

# Resolve trainrun config
resolved, config_dict = resolve_trainrun_config(
    stub,
    session_id,
    "rx_statistical",  # trainrun name
    overrides=[
        "data.batch_size=4",
        "training.trainer.max_epochs=10",
        "training.optimizer.lr=0.001",
    ],
)

# Apply resolved config
apply_trainrun_config(stub, session_id, resolved.config_bytes)
