import grpc

try:
    response = stub.CreateSession(request)
except grpc.RpcError as exc:
    code = exc.code()
    details = exc.details()

    if code == grpc.StatusCode.INVALID_ARGUMENT:
        print(f"Invalid request: {details}")
    elif code == grpc.StatusCode.NOT_FOUND:
        print(f"Resource not found: {details}")
    elif code == grpc.StatusCode.FAILED_PRECONDITION:
        print(f"Operation not allowed: {details}")
    elif code == grpc.StatusCode.UNAVAILABLE:
        print(f"Server unavailable: {details}")
    elif code == grpc.StatusCode.INTERNAL:
        print(f"Internal error: {details}")
    else:
        print(f"gRPC error [{code}]: {details}")
