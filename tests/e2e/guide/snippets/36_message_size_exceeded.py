# Increase client limits
stub = build_stub("localhost:50051", max_msg_size=1024 * 1024 * 1024)

# OR reduce batch size
overrides=["data.batch_size=1"]
