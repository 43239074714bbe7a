"""A state of a training from which it can be resumed."""

import json
from dataclasses import dataclass

from fleet_platform.errors import NotFound


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is stored as one artifact.

    Attributes:
        epoch: epochs that are complete.
        weights_digest: artifact of the weights with which the epochs began.
        state: the engine's own; empty: no epoch is complete.
    """

    epoch: int
    weights_digest: str
    state: bytes = b""

    def to_bytes(self, run_id: str, fencing_token: int) -> bytes:
        """Write it so that no other owner of any run ever stores the same content.

        That makes it safe to delete: artifacts are named by their content.
        """
        header = {
            "epoch": self.epoch,
            "fencing_token": fencing_token,
            "run_id": run_id,
            "weights_digest": self.weights_digest,
        }
        return json.dumps(header, sort_keys=True).encode() + b"\n" + self.state

    @classmethod
    def from_bytes(cls, content: bytes, run_id: str) -> "Checkpoint":
        """Read what `to_bytes` wrote.

        Raises:
            NotFound: it is no checkpoint of this run.
        """
        header, _, state = content.partition(b"\n")
        try:
            fields = json.loads(header)
            if fields["run_id"] == run_id:
                return cls(fields["epoch"], fields["weights_digest"], state)
        except (ValueError, KeyError, TypeError):
            pass
        raise NotFound("The checkpoint is none of this training.")
