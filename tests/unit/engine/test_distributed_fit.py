"""Two processes that fit a pipeline together (gloo) have the results of one process."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import torch

from fleet_engine.training import DataShard, WorkerGroup
from fleet_platform.ports import free_ports

REPOSITORY = Path(__file__).resolve().parents[3]
WITHIN_S = 600


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    """The results of both processes."""
    folder = tmp_path_factory.mktemp("ranks")
    port = str(free_ports(1)[0])
    program = [sys.executable, "-m", "tests.unit.engine.fit_rank", str(folder)]
    with ExitStack() as started:
        processes = [
            started.enter_context(
                subprocess.Popen(
                    [*program, str(rank), "2", port],
                    cwd=REPOSITORY,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for rank in range(2)
        ]
        try:
            for process in processes:
                _, errors = process.communicate(timeout=WITHIN_S)
                assert process.returncode == 0, errors
        finally:
            for process in processes:
                process.kill()
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


def flat(nested):
    return {
        f"{name}.{key}": value for name, values in nested.items() for key, value in values.items()
    }


@pytest.mark.parametrize("which", ["", " on one"])
def test_merged_sums_are_those_of_one_process(ranks, which):
    alone, together = (ranks[0][f"{how}{which}"] for how in ("alone", "together"))
    first, second = flat(alone["sums"]), flat(together["sums"])
    assert first.keys() == second.keys()
    for key, value in first.items():
        torch.testing.assert_close(second[key], value, rtol=1e-12, atol=1e-12, msg=key)


@pytest.mark.parametrize("which", ["", " on one"])
def test_the_statistics_are_the_same_bits(ranks, which):
    alone, together = (flat(ranks[0][f"{how}{which}"]["state"]) for how in ("alone", "together"))
    assert alone.keys() == together.keys()
    assert [key for key, value in alone.items() if not torch.equal(value, together[key])] == []


@pytest.mark.parametrize("which", ["", " on one"])
def test_all_processes_compute_the_same_bits(ranks, which):
    one, other = (flat(rank[f"together{which}"]["state"]) for rank in ranks)
    assert [key for key, value in one.items() if not torch.equal(value, other[key])] == []


def test_each_process_reads_its_shard_and_only_third_party_nodes_read_all(ranks):
    """Three stages: 2 and 3 of 5 measurements each; the third-party node needs 5 more in one."""
    assert [rank["alone"]["read"] for rank in ranks] == [15, 15]
    assert [rank["together"]["read"] for rank in ranks] == [3 * 2 + 5, 3 * 3 + 5]


def test_a_failure_in_one_shard_ends_all_processes_with_its_error(ranks):
    first, second = (rank["spoilt"]["error"] for rank in ranks)
    assert first == second
    assert first.startswith("InvalidInput: Fitting MinMax, measurement 2: ")


def test_a_stop_of_one_process_stops_all(ranks):
    errors = [rank["stopped"]["error"] for rank in ranks]
    assert errors == ["Cancelled: Stopped while fitting MinMax."] * 2


@pytest.mark.parametrize("world_size", [1, 2, 3, 8])
def test_shards_are_consecutive_and_complete(world_size):
    ids = [9, 4, 7, 0, 2]
    shares = [
        list(DataShard.of(WorkerGroup(rank, world_size, rank, 0, "", 0), ids, iter).batches())
        for rank in range(world_size)
    ]
    assert [index for share in shares for index in share] == ids
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
