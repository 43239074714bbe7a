"""A process that trains a run together with its owner, one of its ranks.

It reads one line of JSON, takes part in the training, tells nobody of it and stores nothing. When
it fails it writes one line, why, for rank 0 to tell.
"""

import json
import os
import signal
import sys
import threading

from fleet_platform.artifacts import open_artifact_store
from fleet_platform.errors import AppError, Cancelled, Reason
from fleet_platform.files import PathPolicy
from fleet_platform.runs import open_run_store
from fleet_platform.telemetry import configure_telemetry, logger, span_from_traceparent
from fleet_platform.telemetry.attributes import RANK, RUN_ID
from fleet_platform.telemetry.catalogue import spans
from fleet_trainer.runs.executor import Assignment
from fleet_trainer.settings import TrainerSettings
from fleet_trainer.worker.spoken_lines import SpokenLines

_log = logger("fleet.trainer")


def main() -> int:
    """Take part until the training ends or rank 0 is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    lines = SpokenLines()
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_rank_0, name="rank-0", daemon=True).start()
    settings = TrainerSettings.model_validate_json(request["settings"])
    telemetry = configure_telemetry("trainer", settings)
    try:
        assignment = Assignment.from_line(request["assignment"])
        with span_from_traceparent(
            spans.RANK.name, request["traceparent"], spans.RANK.scope
        ) as span:
            span.set_attributes({RUN_ID: assignment.run_id, RANK: request["group"]["rank"]})
            _take_part(settings, assignment, request["group"], lines)
    except Cancelled:
        return 0
    except Exception as error:
        from fleet_trainer.runs.failure import error_from

        _log.exception("rank.failed", rank=request["group"]["rank"])
        told = error if isinstance(error, AppError) else error_from(error, "")
        # Of what nobody foresaw rank 0 tells, under the trace id that its log has.
        if told.reason is not Reason.DEFECT:
            lines.say(json.dumps({"reason": told.reason.name, "text": told.text}))
        return 1
    finally:
        telemetry.close()
    return 0


def _take_part(
    settings: TrainerSettings,
    assignment: Assignment,
    group_fields: dict[str, int],
    lines: SpokenLines,
) -> None:
    import torch

    from fleet_engine import allow_node_packages
    from fleet_engine.plugins import PluginLoader
    from fleet_engine.training import WorkerGroup
    from fleet_trainer.training.device import open_device
    from fleet_trainer.training.distributed import train_as_rank
    from fleet_trainer.worker.ranks import READY

    group = WorkerGroup(**group_fields)  # type: ignore[arg-type]  # as ranks.py wrote them
    allow_node_packages(settings.node_packages)
    device = open_device(settings)
    if settings.torch_threads is None:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // group.world_size))
    if device.type == "cuda":
        device = torch.device("cuda", group.local_rank)
    artifacts = open_artifact_store(settings)
    runs = open_run_store(settings)
    try:
        train_as_rank(
            assignment,
            group,
            runs=runs,
            artifacts=artifacts,
            plugins=PluginLoader(artifacts, allowed=settings.plugins != "off"),
            policy=PathPolicy.from_settings(settings),
            read_ahead=settings.read_ahead,
            device=device,
            on_ready=lambda: lines.say(READY),
        )
    finally:
        runs.close()


def _end_with_rank_0() -> None:
    """Rank 0 closes the pipe when it ends, however it ends."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
