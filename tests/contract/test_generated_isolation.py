"""A process can load our messages beside a published package with the same full names."""

import copy
import pickle
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pool import Default
from google.protobuf.internal import api_implementation

from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2
from fleet_proto.records.v1 import records_pb2
from tests.support.published.schemas import DISTRIBUTION, RELEASES
from tests.support.published.wheels import wheel

OURS = "from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as ours"
THEIRS = "import published_pb2 as theirs"
EXCHANGE = """
request = ours.TrainRequest(session_id="s", trainer_type=ours.TRAINER_TYPE_GRADIENT)
assert theirs.TrainRequest.FromString(request.SerializeToString()).trainer_type == 2
tensor = theirs.Tensor(shape=[2], dtype=theirs.D_TYPE_UINT8, raw_data=b"ab")
assert ours.Tensor.FromString(tensor.SerializeToString()).raw_data == b"ab"
print("both")
"""


@pytest.mark.published
@pytest.mark.parametrize("first", [OURS, THEIRS])
@pytest.mark.parametrize("release", [RELEASES[0], RELEASES[-1]])
def test_loads_beside_a_published_package(tmp_path: Path, release: str, first: str) -> None:
    with zipfile.ZipFile(wheel(DISTRIBUTION, release)) as archive:
        (module,) = (name for name in archive.namelist() if name.endswith("cuvis_ai_pb2.py"))
        (tmp_path / "published_pb2.py").write_bytes(archive.read(module))
    second = THEIRS if first == OURS else OURS
    script = f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n{first}\n{second}\n{EXCHANGE}"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        check=False,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "both"


def test_descriptor_pools_are_private() -> None:
    pools = {id(cuvis_ai_pb2.DESCRIPTOR.pool), id(records_pb2.DESCRIPTOR.pool), id(Default())}
    assert len(pools) == 3


def test_messages_work_in_a_private_pool() -> None:
    response = cuvis_ai_pb2.InferenceResponse(metrics={"node.port": 1.5})
    response.outputs["node.port"].CopyFrom(
        cuvis_ai_pb2.Tensor(shape=[1, 2], dtype=cuvis_ai_pb2.D_TYPE_BOOL, raw_data=b"\x00\x01")
    )
    assert response.outputs["node.port"].WhichOneof("payload") == "raw_data"
    assert cuvis_ai_pb2.InferenceResponse.FromString(response.SerializeToString()) == response
    assert pickle.loads(pickle.dumps(response)) == response
    assert copy.deepcopy(response) == response
    as_dict = json_format.MessageToDict(response)
    assert json_format.ParseDict(as_dict, cuvis_ai_pb2.InferenceResponse()) == response
    assert cuvis_ai_pb2.DType.Name(cuvis_ai_pb2.D_TYPE_UINT16) == "D_TYPE_UINT16"
    assert cuvis_ai_pb2.SetSessionSearchPathsRequest(append=False).HasField("append")


def test_the_runtime_separates_pools() -> None:
    assert api_implementation.Type() == "upb", "protobuf's slow pure-Python runtime shares one pool"
