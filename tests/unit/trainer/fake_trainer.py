"""A trainer's runs on in-memory stores."""

from fleet_platform.testing import MemoryRunStore, MemorySessionStore
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from fleet_proto.records.v1 import records_pb2 as records
from fleet_trainer.runs import messages, outcomes
from fleet_trainer.runs.launcher import RunLauncher
from fleet_trainer.runs.queue import RunQueue
from fleet_trainer.runs.training_runs import TrainingRuns
from tests.unit.trainer.fake_executor import FakeExecutor


class FakeTrainer:
    """Has one session with a pipeline, and no free slot unless `executor.free` is set."""

    def __init__(self):
        self.sessions = MemorySessionStore(ttl_s=60.0)
        self.runs = MemoryRunStore()
        self.executor = FakeExecutor(free=0)
        self.queue = RunQueue(runs=self.runs, executor=self.executor, owner="trainer", limit=1)
        parts = {"sessions": self.sessions, "runs": self.runs, "queue": self.queue}
        self.training = TrainingRuns(**parts)
        self.launcher = RunLauncher(**parts)
        self.sessions.create(
            records.SessionRecord(
                format_version=1,
                session_id="session",
                pipeline=records.Pipeline(config_json=b"{}", config_digest="one"),
            )
        )

    @property
    def session(self):
        return self.sessions.read("session")

    def launch(self, session=None, key=""):
        return self.launcher.launch(
            session or self.session,
            pb.TRAINER_TYPE_STATISTICAL,
            key,
            data_config_json=b'{"d":1}',
            training_config_json=b"",
        )

    def send(self, run, *sent):
        for message in sent:
            self.runs.append(run.run_id, run.fencing_token, message.SerializeToString())

    def complete(self, run):
        message = messages.complete_statistical()
        result = records.Pipeline(weights_digest="00")
        self.runs.finish(outcomes.completed(run, result), message.SerializeToString())

    def texts(self, run_id, is_wanted=lambda: True):
        return [message.message for message in self.training.follow(run_id, is_wanted)]
