"""Feeds a node that fits on a stream of inputs, while others are fitted in the same pass."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

Inputs = Mapping[str, Any]
"""Values by input port."""


class _Abandoned(BaseException):
    """Ends a fit from inside its stream, also one that catches every Exception."""


class StreamFit:
    """A fit that runs in a thread of its own and takes its stream from whoever calls `feed`.

    At most one batch waits to be taken, so that the pass never runs ahead of the fit.
    """

    def __init__(self, fit: Callable[[Iterable[Inputs]], None]) -> None:
        """Start the fit; it waits for its first batch.

        Args:
            fit: takes the whole stream, or as much of it as it likes.
        """
        self._fit = fit
        self._changed = threading.Condition()
        self._next: Inputs | None = None
        self._asks = False
        self._ended = False
        self._abandoned = False
        self._left = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="stream-fit", daemon=True)
        self._thread.start()

    def feed(self, inputs: Inputs) -> None:
        """Hand over one batch; waits until the one before was taken.

        Once the fit has returned, because it saw enough, further batches are dropped.

        Raises:
            BaseException: whatever the fit raised.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._next is None or self._left)
            self._raise_error()
            if not self._left:
                self._next = inputs
                self._changed.notify_all()

    def settle(self) -> None:
        """Wait until the fit is done with all batches that it was handed.

        Raises:
            BaseException: whatever the fit raised.
        """
        with self._changed:
            self._changed.wait_for(lambda: (self._asks and self._next is None) or self._left)
        self._raise_error()

    def finish(self) -> None:
        """End the stream and wait for the fit.

        Raises:
            BaseException: whatever the fit raised.
        """
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()
        self._raise_error()

    def abandon(self) -> None:
        """Break the fit off at its next batch and wait until it has ended; never raises."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()
        self._thread.join()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            # Unlike inference mode, this leaves tensors behind that gradients may reach later.
            with torch.no_grad():
                self._fit(self._stream())
        except _Abandoned:
            pass
        except BaseException as error:  # raised again where batches are fed
            self._error = error
        finally:
            with self._changed:
                self._left = True
                self._next = None
                self._changed.notify_all()

    def _stream(self) -> Iterator[Inputs]:
        while True:
            with self._changed:
                self._asks = True
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: self._next is not None or self._ended or self._abandoned
                )
                if self._abandoned:
                    raise _Abandoned
                if self._next is None:
                    return
                inputs, self._next, self._asks = self._next, None, False
                self._changed.notify_all()
            yield {port: _owned(value) for port, value in inputs.items()}


def _owned(value: Any) -> Any:
    """A tensor of the fit's own: an ordinary one, which it may keep and write to."""
    return value.clone() if isinstance(value, Tensor) else value
