# Never use insecure channels in production
# BAD: grpc.insecure_channel("production-server:50051")

# GOOD: Use TLS
channel = grpc.secure_channel(
    "production-server:50051",
    grpc.ssl_channel_credentials(),
)
