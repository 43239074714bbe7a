import pytest
import torch

from fleet_engine.device import choose_device, open_device


def test_the_default_is_a_gpu_if_there_is_one():
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert choose_device("auto").type == expected


def test_a_device_is_chosen_by_its_name():
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda:4096", "xpu", "no-such-device", ""])
def test_an_impossible_device_is_refused(name):
    with pytest.raises(ValueError, match=f"DEVICE={name}: this machine has no such device"):
        choose_device(name)


def test_opening_a_device_sets_the_number_of_threads():
    before = torch.get_num_threads()
    try:
        assert open_device("cpu", 1) == torch.device("cpu")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
