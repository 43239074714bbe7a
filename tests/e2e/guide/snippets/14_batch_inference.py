from torch.utils.data import DataLoader
from cuvis_ai.datamodule.cu3s_dataset import SingleCu3sDataset

dataset = SingleCu3sDataset(
    cu3s_file_path="data/Lentils/Lentils_000.cu3s",
    processing_mode="Reflectance",
)
dataloader = DataLoader(dataset, batch_size=1)

for batch in dataloader:
    inference_response = stub.Inference(
        cuvis_ai_pb2.InferenceRequest(
            session_id=session_id,
            inputs=cuvis_ai_pb2.InputBatch(
                cube=helpers.tensor_to_proto(batch["cube"]),
                wavelengths=helpers.tensor_to_proto(batch["wavelengths"]),
            ),
        )
    )

    # Process results
    decisions = helpers.proto_to_numpy(
        inference_response.outputs["decider.decisions"]
    )
