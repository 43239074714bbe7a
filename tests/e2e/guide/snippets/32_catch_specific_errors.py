try:
    response = stub.Inference(request)
except grpc.RpcError as exc:
    if exc.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
        print("Message too large. Reduce batch size or increase limits.")
    elif exc.code() == grpc.StatusCode.UNAVAILABLE:
        print("Server unavailable. Check connection and retry.")
    else:
        raise
