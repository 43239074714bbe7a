"""Runs a fit that consumes a stream of inputs, while other nodes are fitted in the same pass."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

Inputs = Mapping[str, Any]
"""Values by input port."""


class _Abandoned(BaseException):
    """Ends a fit from inside its stream, even if the fit catches every Exception."""


class StreamFit:
    """A fit that runs in its own thread and receives its stream through `feed`.

    At most one batch is pending, so that the pass never runs ahead of the fit.
    """

    def __init__(self, fit: Callable[[Iterable[Inputs]], None]) -> None:
        """Start the fit, which waits for its first batch.

        Args:
            fit: consumes the stream completely or in part.
        """
        self._fit = fit
        self._changed = threading.Condition()
        self._next: Inputs | None = None
        self._waiting = False
        self._ended = False
        self._abandoned = False
        self._returned = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="stream-fit", daemon=True)
        self._thread.start()

    def feed(self, inputs: Inputs) -> None:
        """Pass one batch to the fit, after waiting until it has taken the previous one.

        Once the fit has returned, further batches are dropped.

        Raises:
            BaseException: the fit failed with it.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._next is None or self._returned)
            self._raise_error()
            if not self._returned:
                self._next = inputs
                self._changed.notify_all()

    def settle(self) -> None:
        """Wait until the fit has processed all batches.

        Raises:
            BaseException: the fit failed with it.
        """
        with self._changed:
            self._changed.wait_for(lambda: (self._waiting and self._next is None) or self._returned)
        self._raise_error()

    def finish(self) -> None:
        """End the stream and wait for the fit.

        Raises:
            BaseException: the fit failed with it.
        """
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._thread.join()
        self._raise_error()

    def abandon(self) -> None:
        """Cancel the fit at its next batch and wait for its end; never raises."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()
        self._thread.join()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            # Unlike in inference mode, the resulting tensors may later take part in autograd.
            with torch.no_grad():
                self._fit(self._stream())
        except _Abandoned:
            pass
        except BaseException as error:  # raised again where batches are fed
            self._error = error
        finally:
            with self._changed:
                self._returned = True
                self._next = None
                self._changed.notify_all()

    def _stream(self) -> Iterator[Inputs]:
        while True:
            with self._changed:
                self._waiting = True
                self._changed.notify_all()
                self._changed.wait_for(
                    lambda: self._next is not None or self._ended or self._abandoned
                )
                if self._abandoned:
                    raise _Abandoned
                if self._next is None:
                    return
                inputs, self._next, self._waiting = self._next, None, False
                self._changed.notify_all()
            yield {port: _owned(value) for port, value in inputs.items()}


def _owned(value: Any) -> Any:
    """Return a copy of a tensor, which the fit may keep and modify."""
    return value.clone() if isinstance(value, Tensor) else value
