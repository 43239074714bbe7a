"""The result of an inference."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy.typing as npt


class Result(Mapping[str, npt.NDArray[Any]]):
    """Output arrays by ``node.port``, or just by port if only one node has that port.

    The arrays are read-only. Those of large replies are views of the reply's bytes;
    ``np.array(view)`` makes a writable copy.

    Attributes:
        metrics: scalar outputs by ``node.port``.
        trace_id: identifies the call in the server's logs and traces.
    """

    def __init__(
        self,
        outputs: Mapping[str, npt.NDArray[Any]],
        metrics: Mapping[str, float] | None = None,
        trace_id: str = "",
    ) -> None:
        self._outputs = dict(outputs)
        self.metrics = dict(metrics or {})
        self.trace_id = trace_id

    def __getitem__(self, key: str) -> npt.NDArray[Any]:
        if key in self._outputs:
            return self._outputs[key]
        matching = [name for name in self._outputs if name.partition(".")[2] == key]
        if len(matching) != 1:
            count = "several" if matching else "none"
            raise KeyError(f"{key} matches {count} of {', '.join(self)}")
        return self._outputs[matching[0]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._outputs)

    def __len__(self) -> int:
        return len(self._outputs)

    def __repr__(self) -> str:
        listed = ", ".join(
            f"{name}: {array.dtype}{list(array.shape)}" for name, array in self.items()
        )
        return f"Result({listed})"
