import grpc
from concurrent import futures

# Server
server = grpc.server(
    futures.ThreadPoolExecutor(max_workers=10),
    options=[
        ("grpc.max_send_message_length", 1024 * 1024 * 1024),  # 1 GB
        ("grpc.max_receive_message_length", 1024 * 1024 * 1024),
    ],
)

# Client
options = [
    ("grpc.max_send_message_length", 1024 * 1024 * 1024),
    ("grpc.max_receive_message_length", 1024 * 1024 * 1024),
]
channel = grpc.insecure_channel("localhost:50051", options=options)
