import grpc

# Server-side
credentials = grpc.ssl_server_credentials([
    (open("server.key", "rb").read(),
     open("server.crt", "rb").read())
])
server.add_secure_port("[::]:50051", credentials)

# Client-side
channel = grpc.secure_channel(
    "production-server:50051",
    grpc.ssl_channel_credentials(),
)
