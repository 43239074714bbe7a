# Client
stub = build_stub("localhost:50051", max_msg_size=1024 * 1024 * 1024)  # 1 GB

# Server must also have 1 GB limits
