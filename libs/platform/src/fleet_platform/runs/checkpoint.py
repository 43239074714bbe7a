"""A training state to resume from."""

import json
from dataclasses import dataclass

from fleet_platform.errors import NotFound


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A training state, stored as one artifact.

    Attributes:
        epoch: number of completed epochs.
        weights_digest: artifact of the weights before the first epoch.
        state: the engine's state; empty: no epoch has been completed.
    """

    epoch: int
    weights_digest: str
    state: bytes = b""

    def to_bytes(self, run_id: str, fencing_token: int) -> bytes:
        """Serialise the checkpoint so that no other owner of any run can store the same content.

        That makes it safe to delete, because artifacts are named by their content.
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
        """Parse a checkpoint that `to_bytes` serialised.

        Raises:
            NotFound: it is not a checkpoint of this run.
        """
        header, _, state = content.partition(b"\n")
        try:
            fields = json.loads(header)
            if fields["run_id"] == run_id:
                return cls(fields["epoch"], fields["weights_digest"], state)
        except (ValueError, KeyError, TypeError):
            pass
        raise NotFound("The artifact is not a checkpoint of this training.")
