# Reduce batch size
overrides=["data.batch_size=1"]

# Close unused sessions
stub.CloseSession(...)

# Monitor GPU memory
# nvidia-smi
