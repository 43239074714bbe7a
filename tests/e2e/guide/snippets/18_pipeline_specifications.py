# Get input specs
inputs_response = stub.GetPipelineInputs(
    cuvis_ai_pb2.GetPipelineInputsRequest(session_id=session_id)
)

for name, spec in inputs_response.inputs.items():
    dtype = cuvis_ai_pb2.DType.Name(spec.dtype)
    print(f"Input: {name} | dtype={dtype} | shape={spec.shape}")

# Get output specs
outputs_response = stub.GetPipelineOutputs(
    cuvis_ai_pb2.GetPipelineOutputsRequest(session_id=session_id)
)

for name, spec in outputs_response.outputs.items():
    dtype = cuvis_ai_pb2.DType.Name(spec.dtype)
    print(f"Output: {name} | dtype={dtype} | shape={spec.shape}")
