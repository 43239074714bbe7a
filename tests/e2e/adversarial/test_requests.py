"""Each hostile request is answered in so many words, and harms nobody."""

import pytest

from tests.e2e.adversarial import configs, overrides, paths, sessions, tensors, weights
from tests.support.case import Case
from tests.support.wire import Wire, wire

pytestmark = pytest.mark.e2e

CASES: list[Case] = [
    *tensors.CASES,
    *weights.CASES,
    *paths.CASES,
    *configs.CASES,
    *overrides.CASES,
    *sessions.CASES,
]
_FROM_NPZ = ("data.cu3s_file_path=scene.npz", "data.annotation_json_path=null")


@pytest.fixture(scope="module")
def attacked(stack, output_dir, tmp_path_factory):
    """Calls, and a fitted session that every request is about."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "passwd").write_text("secret")
    with wire(stack.address) as calls:
        session_id = calls.session()
        calls.apply(
            session_id, calls.resolve(session_id, "trainrun", "trainrun/rx_statistical", _FROM_NPZ)
        )
        calls.train(session_id)
        calls.call("SaveTrainRun", session_id=session_id, trainrun_path=paths.FITTED)
        (output_dir / paths.LINK).symlink_to(outside)
        yield calls, session_id
        (output_dir / paths.LINK).unlink()
        calls.call("CloseSession", session_id=session_id)


def test_the_list_is_long() -> None:
    assert len(CASES) >= 60
    assert len({str(case) for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_hostile(attacked: tuple[Wire, str], scene, case: Case) -> None:
    calls, session_id = attacked
    fields = case.fields()
    if case.in_session:
        fields.setdefault("session_id", session_id)
    refusal = calls.refused(case.method, **fields)
    assert refusal.code is case.code, refusal
    assert case.matches(refusal.text), refusal.text
    outputs = calls.infer(session_id, scene.cubes[:1], scene.wavelengths_nm[None], ["decisions"])
    assert outputs["decisions"].shape == (1, *scene.mask.shape[1:], 1)


def test_folders_outside_are_rejected_as_search_paths_one_by_one(attacked) -> None:
    calls, session_id = attacked
    hostile = ["/etc", "../../../../etc", "/proc/self", paths.LINK, "a\0b", "p" * 5000, ""]
    reply = calls.call("SetSessionSearchPaths", session_id=session_id, search_paths=hostile)
    assert list(reply.rejected_paths)[:6] == hostile[:6]
    assert not any("etc" in path or "proc" in path for path in reply.current_paths)
