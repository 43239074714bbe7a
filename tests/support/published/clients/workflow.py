"""The base of a published client's workflow, which collects the replies of the service.

`nested.py` and `flat.py` each hold the workflow of one generation. The scripts run in the
environments of published releases, without any other code of this project.
"""

import json
import sys
import time
from pathlib import Path

import grpc
import numpy as np
import yaml
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2 as pb2
from cuvis_ai_schemas.grpc.v1 import cuvis_ai_pb2_grpc

LIMIT = 300 * 1024 * 1024
DEADLINE_S = 300.0
DTYPES = {
    pb2.D_TYPE_FLOAT32: "<f4",
    pb2.D_TYPE_INT32: "<i4",
    pb2.D_TYPE_BOOL: "?",
    pb2.D_TYPE_UINT16: "<u2",
}
FOREIGN_PATHS = ["/on/another/host/configs", "/on/another/host/configs/trainrun"]
SEED, LEARNING_RATE, EPOCHS = 7, 0.001, 2


class Workflow:
    """One client on one channel.

    Attributes:
        facts: replies of the service, as JSON values.
    """

    def __init__(self, address, data_folder, folder):
        with np.load(data_folder / "scene.npz") as data:
            self.cubes, self.wavelengths = data["cube"], data["wavelengths"][None, :]
        self.address, self.data_folder, self.folder = address, data_folder, folder
        self.stub = self.connect()
        self.facts = {}

    def connect(self):
        options = [
            ("grpc.max_send_message_length", LIMIT),
            ("grpc.max_receive_message_length", LIMIT),
        ]
        return cuvis_ai_pb2_grpc.CuvisAIServiceStub(
            grpc.insecure_channel(self.address, options=options)
        )

    def call(self, method, **fields):
        request = getattr(pb2, f"{method}Request")(**fields)
        return while_unavailable(lambda: getattr(self.stub, method)(request, timeout=DEADLINE_S))

    def to_tensor(self, array):
        """The message of an array."""
        (number,) = (number for number, dtype in DTYPES.items() if np.dtype(dtype) == array.dtype)
        return pb2.Tensor(shape=array.shape, dtype=number, raw_data=array.tobytes())

    def to_array(self, tensor):
        """The array of a message."""
        return np.frombuffer(tensor.raw_data, DTYPES[tensor.dtype]).reshape(tuple(tensor.shape))

    def open_session(self, search_paths=FOREIGN_PATHS):
        session_id = self.call("CreateSession").session_id
        answer = self.call(
            "SetSessionSearchPaths",
            session_id=session_id,
            search_paths=search_paths,
            append=False,
        )
        self.facts["rejected_paths"] = list(answer.rejected_paths)
        return session_id

    def discover(self, pipeline_config, path):
        """Look for a pipeline; `pipeline_config` is the release's model of one."""
        if hasattr(self.stub, "ListAvailablePipelinees"):
            listed = self.call("ListAvailablePipelinees", filter_tag="RX").pipelinees
        else:
            listed = self.call("ListAvailablePipelines", filter_tag="RX").pipelines
        names = {key_of(info): info.metadata.name for info in listed}
        (name,) = (key for key in names if key.removesuffix(".yaml") == path)
        (field,) = pb2.GetPipelineInfoRequest.DESCRIPTOR.fields
        info = self.call("GetPipelineInfo", **{field.name: name}).pipeline_info
        config = pipeline_config.from_dict(yaml.safe_load(info.yaml_content))
        schema = json.loads(self.call("GetParameterSchema", config_type="trainrun").json_schema)
        can = self.call("GetTrainingCapabilities")
        self.facts["discovery"] = {
            "names": names,
            "found": key_of(info),
            "title": config.metadata.name,
            "schema": sorted(schema["properties"]),
            "optimizers": list(can.supported_optimizers),
        }
        return config

    def resolve(self, session_id, config_type, path, overrides=()):
        return self.call(
            "ResolveConfig",
            session_id=session_id,
            config_type=config_type,
            path=path,
            overrides=overrides,
        ).config_bytes

    def check(self, config_type, config):
        """Validate a config of the release's models."""
        answer = self.call(
            "ValidateConfig", config_type=config_type, config_bytes=config.to_json().encode()
        )
        self.facts.setdefault("errors", {})[config_type] = list(answer.errors)

    def facts_of(self, message):
        """Return the fields of a progress message that the release's clients read."""
        facts = {
            "status": pb2.TrainStatus.Name(message.status),
            "stage": pb2.ExecutionStage.Name(message.context.stage),
            "epoch": message.context.epoch,
            "losses": dict(message.losses),
            "metrics": dict(message.metrics),
            "message": message.message,
        }
        if hasattr(message, "event") and message.HasField("event"):
            event = message.event
            facts |= {
                "hook": pb2.TrainHook.Name(event.hook),
                "node": event.node,
                "done": event.progress.done,
                "total": event.progress.total,
                "thresholds": {
                    decider.name: [change.after for change in decider.thresholds.values()]
                    for decider in event.calibration.deciders
                },
            }
        return facts

    def train(self, session_id, trainer_type, name="progress", **fields):
        request = pb2.TrainRequest(session_id=session_id, trainer_type=trainer_type, **fields)
        messages = while_unavailable(lambda: list(self.stub.Train(request, timeout=DEADLINE_S)))
        self.facts[name] = [self.facts_of(message) for message in messages]
        latest = self.call("GetTrainStatus", session_id=session_id).latest_progress
        self.facts[f"{name}_status"] = pb2.TrainStatus.Name(latest.status)

    def stop_training(self, session_id, **fields):
        """Stop a gradient training of ten thousand epochs after its first losses."""
        request = pb2.TrainRequest(
            session_id=session_id, trainer_type=pb2.TRAINER_TYPE_GRADIENT, **fields
        )
        accepted = []
        for message in self.stub.Train(request, timeout=DEADLINE_S):
            if message.losses and not accepted:
                accepted.append(self.call("StopTrain", session_id=session_id).accepted)
            last = self.facts_of(message)
        latest = self.call("GetTrainStatus", session_id=session_id).latest_progress
        self.facts["stopped"] = {
            "accepted": accepted,
            "last": last,
            "status": pb2.TrainStatus.Name(latest.status),
        }

    def look_inside(self, session_id):
        """Ask what goes in and comes out, and for a figure."""
        goes_in = self.call("GetPipelineInputs", session_id=session_id)
        comes_out = self.call("GetPipelineOutputs", session_id=session_id)
        figure = self.call("GetPipelineVisualization", session_id=session_id, format="mermaid")
        self.facts["inside"] = {
            "inputs": {name: list(goes_in.input_specs[name].shape) for name in goes_in.input_names},
            "outputs": list(comes_out.output_names),
            "figure": figure.image_data.decode(),
        }

    def infer(self, session_id, name, specs=()):
        inputs = pb2.InputBatch(
            cube=self.to_tensor(self.cubes[1:2]), wavelengths=self.to_tensor(self.wavelengths)
        )
        answer = self.call(
            "Inference", session_id=session_id, inputs=inputs, output_specs=list(specs)
        )
        arrays = {key: self.to_array(tensor) for key, tensor in answer.outputs.items()}
        np.savez(self.folder / f"{name}.npz", **arrays)

    def profile(self, session_id):
        """Measure the nodes during one inference."""
        self.call("SetProfiling", session_id=session_id, enabled=True)
        self.infer(session_id, "profiled")
        summary = self.call("GetProfilingSummary", session_id=session_id)
        self.facts["profile"] = {stats.node_name: stats.count for stats in summary.node_stats}

    def save(self, session_id):
        pipeline = self.call(
            "SavePipeline",
            session_id=session_id,
            pipeline_path=f"{self.folder.name}/pipeline.yaml",
            metadata=pb2.PipelineMetadata(name="day", description="a day's work"),
        )
        trainrun = self.call(
            "SaveTrainRun",
            session_id=session_id,
            trainrun_path=f"{self.folder.name}/trainrun.yaml",
            save_weights=True,
        )
        self.facts["saved"] = [pipeline.pipeline_path, pipeline.weights_path]
        self.facts["saved_trainrun"] = [
            trainrun.trainrun_path,
            trainrun.pipeline_path,
            trainrun.weights_path,
        ]
        return pipeline, trainrun

    def reload(self, session_id, saved, load):
        """Load a saved pipeline again; `load` takes the session and the config's bytes."""
        load(session_id, self.resolve(session_id, "pipeline", saved.pipeline_path))
        self.call(
            "LoadPipelineWeights",
            session_id=session_id,
            weights_path=saved.weights_path,
            strict=True,
        )
        self.infer(session_id, "reloaded")

    def load(self, session_id, config_bytes, **fields):
        answer = self.call(
            "LoadPipeline",
            session_id=session_id,
            pipeline=pb2.PipelineConfig(config_bytes=config_bytes),
            **fields,
        )
        self.facts["loaded_name"] = answer.metadata.name

    def list_nodes(self, session_id, read_port):
        """Ask for the palette; `read_port` gives the release's port message of a map's value."""
        nodes = self.call("ListAvailableNodes", session_id=session_id).nodes
        (scores,) = (node for node in nodes if node.full_path.endswith("rx_detector.RXGlobal"))
        data = read_port(scores.input_specs["data"])
        self.facts["palette"] = {
            "classes": len(nodes),
            "port": {"name": data.name, "shape": list(data.shape), "optional": data.optional},
            "dtype": pb2.DType.Name(data.dtype),
        }

    def list_plugins(self, session_id, name):
        listed = self.call("ListLoadedPlugins", session_id=session_id).plugins
        info = self.call("GetPluginInfo", session_id=session_id, plugin_name=name).plugin
        classes = info.capabilities if hasattr(info, "capabilities") else info.provides
        self.facts["plugins"] = {
            "names": [plugin.name for plugin in listed],
            "type": info.type,
            "tag": info.tag,
            "classes": list(classes),
        }

    def close(self, *session_ids):
        self.facts["closed"] = [
            self.call("CloseSession", session_id=session_id).success for session_id in session_ids
        ]
        try:
            self.infer(session_ids[0], "never")
        except grpc.RpcError as error:
            self.facts["after_close"] = [error.code().name, error.details()]

    def write_facts(self):
        (self.folder / "facts.json").write_text(json.dumps(self.facts), encoding="utf-8")


def key_of(info):
    """Return the request field that names a pipeline in this release."""
    return info.name if hasattr(info, "name") else info.pipeline_path


def while_unavailable(ask):
    """The answer, asked for again where the gateway says that it may be: on a busy machine."""
    give_up_s = time.monotonic() + DEADLINE_S
    while True:
        try:
            return ask()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > give_up_s:
                raise
            time.sleep(1.0)


def main(workflow_class):
    """Run the workflow with the arguments of the command line."""
    address, data_folder, folder = sys.argv[1:]
    workflow = workflow_class(address, Path(data_folder), Path(folder))
    workflow.work()
    workflow.write_facts()
