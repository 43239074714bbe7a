from cuvis_ai_core.grpc import helpers
import numpy as np

# Prepare inputs
cube = np.random.rand(1, 32, 32, 61).astype(np.float32)
wavelengths = np.linspace(430, 910, 61).reshape(1, -1).astype(np.int32)

# Run inference
response = stub.Inference(
    cuvis_ai_pb2.InferenceRequest(
        session_id=session_id,
        inputs=cuvis_ai_pb2.InputBatch(
            cube=helpers.numpy_to_proto(cube),
            wavelengths=helpers.numpy_to_proto(wavelengths),
        ),
    )
)

# Convert outputs
results = {
    name: helpers.proto_to_numpy(tensor_proto)
    for name, tensor_proto in response.outputs.items()
}

print(f"Outputs: {list(results.keys())}")
print(f"Decisions shape: {results['decider.decisions'].shape}")
