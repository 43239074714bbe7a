# ruff: noqa: N999 - names that the SDK gives
"""One measurement: without a cube until a processing context was applied."""

from cuvis.cuvis_types import ProcessingMode


class Measurement:
    def __init__(self, session, index):
        self._session = session
        self._index = index
        self.processing_mode = ProcessingMode.Raw
        self.data = {}

    @property
    def cube(self):
        if "cube" not in self.data:
            from cuvis.ProcessingContext import ProcessingContext

            ProcessingContext(self._session).apply(self)
        return self.data["cube"]
