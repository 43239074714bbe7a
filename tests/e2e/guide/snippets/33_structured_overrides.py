# Good: Clear intent
overrides = [
    "training.trainer.max_epochs=100",
    "training.optimizer.lr=0.001",
    "data.batch_size=16",
]

# Avoid: Hardcoded strings
overrides = ["max_epochs=100"]  # Ambiguous
