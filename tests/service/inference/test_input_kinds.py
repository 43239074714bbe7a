"""Every kind of input reaches the nodes in the same form as on published servers."""

import json
from collections.abc import Iterator
from multiprocessing import shared_memory
from pathlib import Path

import numpy as np
import pytest
from grpc import StatusCode

from fleet_engine import allow_node_packages
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.service.inference.conftest import (
    WAVELENGTHS_NM,
    Fitted,
    Refused,
    Served,
    batch,
    cube,
    tensor,
)

LAB = Path(__file__).parents[2] / "unit" / "engine" / "third_party"


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The lab's packages are installed and allowed."""
    monkeypatch.syspath_prepend(str(LAB))
    monkeypatch.setenv("NODE_PACKAGES", "lab_nodes")
    yield
    allow_node_packages(())


@pytest.fixture
def session(served: Served) -> str:
    served.load(
        served.session(),
        {"nodes": [{"name": "lab", "class_name": "lab_nodes.prompted.Prompted"}]},
    )
    return "one"


def received(served: Served, session: str, inputs: pb.InputBatch) -> dict[str, object]:
    reply = served.infer(session, inputs, "annotations")
    return json.loads(reply.outputs["lab.annotations"].raw_data)


def test_boxes_are_dicts(served: Served, session: str) -> None:
    boxes = pb.BoundingBoxes(
        boxes=[
            pb.BoundingBox(element_id=1, x_min=1.5, y_min=2, x_max=3, y_max=4),
            pb.BoundingBox(object_id=0),
        ]
    )
    assert received(served, session, pb.InputBatch(bboxes=boxes))["bboxes"] == [
        {"element_id": 1, "x_min": 1.5, "y_min": 2, "x_max": 3, "y_max": 4},
        {"element_id": 0, "x_min": 0, "y_min": 0, "x_max": 0, "y_max": 0, "object_id": 0},
    ]


def test_points_are_dicts_with_a_word_for_their_type(served: Served, session: str) -> None:
    kinds = (
        pb.POINT_TYPE_POSITIVE,
        pb.POINT_TYPE_NEGATIVE,
        pb.POINT_TYPE_NEUTRAL,
        pb.POINT_TYPE_UNSPECIFIED,
    )
    points = pb.Points(points=[pb.Point(element_id=0, x=1, y=2.5, type=kind) for kind in kinds])
    got = received(served, session, pb.InputBatch(points=points))["points"]
    assert [point.pop("type") for point in got] == ["positive", "negative", "neutral", "neutral"]
    assert got == [{"element_id": 0, "x": 1, "y": 2.5}] * 4


def test_a_text(served: Served, session: str) -> None:
    assert (
        received(served, session, pb.InputBatch(text_prompt="Linse µ"))["text_prompt"] == "Linse µ"
    )


def test_present_and_empty_differs_from_absent(served: Served, session: str) -> None:
    empty = pb.InputBatch(bboxes=pb.BoundingBoxes(), points=pb.Points())
    assert received(served, session, empty) == {"bboxes": [], "points": [], "text_prompt": None}
    nothing = {"bboxes": None, "points": None, "text_prompt": None}
    assert received(served, session, pb.InputBatch()) == nothing


@pytest.mark.parametrize(
    ("field", "values", "dtype"),
    [
        ("mask", np.arange(6, dtype="<i4").reshape(1, 2, 3), pb.D_TYPE_INT32),
        ("rgb_image", np.arange(18, dtype="u1").reshape(1, 2, 3, 3), pb.D_TYPE_UINT8),
        ("mesu_index", np.array([7], "<i8"), pb.D_TYPE_INT64),
        ("frame_id", np.array([41], "<i8"), pb.D_TYPE_INT64),
    ],
)
def test_tensors_keep_dtype_shape_and_values(
    served: Served, session: str, field: str, values: np.ndarray, dtype: "pb.DType.ValueType"
) -> None:
    sent = tensor(values, dtype)
    reply = served.infer(session, pb.InputBatch(**{field: sent}), field)
    assert reply.outputs[f"lab.{field}"] == sent


@pytest.mark.parametrize("field", ["mesu_index", "frame_id"])
def test_an_empty_index_is_absent(served: Served, session: str, field: str) -> None:
    inputs = pb.InputBatch(**{field: pb.Tensor(shape=[0], dtype=pb.D_TYPE_INT64)})
    assert f"lab.{field}" not in served.infer(session, inputs).outputs


def test_an_extra_input_comes_under_its_own_key(served: Served, session: str) -> None:
    gain = tensor(np.array([0.5, 2.0]), pb.D_TYPE_FLOAT64)
    inputs = pb.InputBatch(extra_inputs={"gain": gain, "unused": gain})
    assert served.infer(session, inputs, "gain").outputs["lab.gain"] == gain


def test_an_extra_input_may_stand_in_for_a_field(served: Served, fitted: Fitted) -> None:
    session = served.ready(fitted)
    usual = batch()
    extra = pb.InputBatch(wavelengths=usual.wavelengths, extra_inputs={"cube": usual.cube})
    assert served.infer(session, extra) == served.infer(session, usual)


def test_an_extra_input_beside_its_field_is_refused(
    served: Served, session: str, refused: Refused
) -> None:
    one = tensor(np.array([1], "<i8"), pb.D_TYPE_INT64)
    refused(
        lambda: served.infer(session, pb.InputBatch(frame_id=one, extra_inputs={"frame_id": one})),
        StatusCode.INVALID_ARGUMENT,
        "inputs.extra_inputs['frame_id']: inputs.frame_id is also set",
    )


def test_specs_of_a_third_party_nodes_inputs(served: Served, session: str) -> None:
    specs = served.stub.GetPipelineInputs(
        pb.GetPipelineInputsRequest(session_id=session)
    ).input_specs
    assert specs["gain"].dtype == pb.D_TYPE_FLOAT64
    assert specs["mesu_index"].dtype == pb.D_TYPE_INT64
    assert specs["rgb_image"].dtype == pb.D_TYPE_UNSPECIFIED  # any
    assert list(specs["rgb_image"].shape) == [-1, -1, -1, 3]
    assert not any(spec.required for spec in specs.values())


@pytest.fixture
def segment() -> Iterator[shared_memory.SharedMemory]:
    made = shared_memory.SharedMemory(create=True, size=1 << 16)
    yield made
    made.close()
    made.unlink()


def lent(segment: shared_memory.SharedMemory, array: np.ndarray, **wrong: object) -> pb.InputBatch:
    """The usual inputs, the cube by reference; `wrong` replaces parts of the reference."""
    segment.buf[64 : 64 + array.nbytes] = array.tobytes()
    reference = {"name": segment.name, "byte_offset": 64, "byte_size": array.nbytes} | wrong
    return pb.InputBatch(
        cube=pb.Tensor(shape=array.shape, dtype=pb.D_TYPE_UINT16, shm_ref=pb.ShmRef(**reference)),
        wavelengths=tensor(WAVELENGTHS_NM[None], pb.D_TYPE_INT32),
    )


def test_a_cube_in_shared_memory_gives_what_the_same_bytes_give(
    served: Served, fitted: Fitted, segment: shared_memory.SharedMemory
) -> None:
    session = served.ready(fitted)
    assert served.infer(session, lent(segment, cube())) == served.infer(session, batch(cube()))


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"name": "../../etc/passwd"}, "is not the name of a segment"),
        ({"name": ""}, "is not the name of a segment"),
        ({"name": "absent"}, "there is no shared-memory segment 'absent'"),
        ({"byte_size": 3}, "but shm_ref has 3"),
        ({"byte_size": 2**64 - 1}, "but shm_ref has"),
        ({"byte_offset": 1 << 16}, "the segment has"),
        ({"byte_offset": 2**64 - 1}, "the segment has"),
    ],
)
def test_an_invalid_reference_is_refused_and_harmless(
    served: Served,
    fitted: Fitted,
    refused: Refused,
    segment: shared_memory.SharedMemory,
    wrong: dict[str, object],
    text: str,
) -> None:
    session = served.ready(fitted)
    code = StatusCode.INVALID_ARGUMENT
    if wrong.get("byte_size") == 2**64 - 1:
        code, text = StatusCode.RESOURCE_EXHAUSTED, "limit for one request is"
    refused(lambda: served.infer(session, lent(segment, cube(), **wrong)), code, text)
    assert served.infer(session, lent(segment, cube())).outputs


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comes before `served`, which reads it."""
    monkeypatch.setenv("SHARED_MEMORY", "false")


def test_the_off_switch(
    private: None,
    served: Served,
    fitted: Fitted,
    refused: Refused,
    segment: shared_memory.SharedMemory,
) -> None:
    session = served.ready(fitted)
    refused(
        lambda: served.infer(session, lent(segment, cube())),
        StatusCode.INVALID_ARGUMENT,
        "inputs.cube: this server does not read shm_ref; send the bytes in raw_data",
    )
    assert served.infer(session).outputs
