"""Opening what a data configuration names."""

import threading

from fleet_engine.data.coco_labels import CocoLabels
from fleet_engine.data.data_file import DataFile, DataFiles
from fleet_engine.data.measurement import Measurement
from fleet_engine.data.readers import Reader, open_reader
from fleet_platform.errors import InvalidInput
from fleet_schemas import DataConfig


class Measurements:
    """The measurements of one file, labelled where labels were given; read one at a time.

    Attributes:
        read_ahead: how many of them `batches` may hold in memory before they are asked for.
    """

    def __init__(
        self, file: DataFile, reader: Reader, labels: CocoLabels | None, read_ahead: int = 0
    ) -> None:
        self.read_ahead = read_ahead
        self._file = file
        self._reader = reader
        self._labels = labels
        # Readers, and the libraries below them, are not made for several threads at a time.
        self._reading = threading.Lock()

    def __len__(self) -> int:
        return len(self._reader)

    def check_ids(self, ids: list[int], split: str = "") -> None:
        """Refuse numbers of measurements that the file does not have.

        Args:
            ids: the numbers.
            split: the split that they are of, for the text; empty: of none.

        Raises:
            InvalidInput: a number is out of range, or there is none at all.
        """
        if not ids:
            raise InvalidInput(
                f"No measurements of '{self._file.sent}' are chosen; list their numbers in the "
                f"data configuration ({self._range})."
            )
        for index in ids:
            if not 0 <= index < len(self):
                named = f", which the {split} split names" if split else ""
                raise InvalidInput(
                    f"There is no measurement {index} in '{self._file.sent}'{named}; {self._range}."
                )

    def check_splits(self, data: DataConfig) -> None:
        """Refuse splits that name a measurement which the file does not have; empty ones pass.

        Raises:
            InvalidInput: the text names the split and the number.
        """
        splits = {"train": data.train_ids, "val": data.val_ids, "test": data.test_ids}
        for split, ids in splits.items():
            if ids:
                self.check_ids(ids, split)

    def read(self, index: int) -> Measurement:
        """Read measurement `index`.

        Raises:
            InvalidInput: it is out of range, cannot be read, or its labels do not fit it.
        """
        self.check_ids([index])
        with self._reading:
            measurement = self._reader.read(index)
        if self._labels is None:
            return measurement
        height, width, _ = measurement.cube_HWC.shape
        return measurement.with_mask(self._labels.mask(index, height, width))

    def load(self, index: int) -> Measurement:
        """Read measurement `index` into memory that is its own, and look at its values.

        Raises:
            InvalidInput: as `read` does; or the cube holds NaN or infinite values.
        """
        measurement = self.read(index).in_memory()
        if not measurement.is_finite:
            raise InvalidInput(
                f"Measurement {index} of '{self._file.sent}' holds NaN or infinite values; "
                "training needs finite ones. Leave it out of the split, or correct the file."
            )
        return measurement

    @property
    def _range(self) -> str:
        last = len(self) - 1
        return f"its measurements are 0 to {last}" if last else "its only measurement is 0"


def open_measurements(
    config: DataConfig, policy: DataFiles, *, read_ahead: int = 0
) -> Measurements:
    """Open the file that `config` names, by its suffix; no cube is read yet.

    Args:
        config: `cu3s_file_path` names the file of any supported format; `annotation_json_path`
            COCO labels, which take the place of a mask in the file.
        policy: decides which files may be read.
        read_ahead: how many measurements `batches` may hold in memory before they are asked for; 0:
            none.

    Raises:
        InvalidInput: a path that may not be read, an unknown kind of file, one that cannot be read.
        NotFound: there is no such file.
        OutOfOrder: a `.cu3s` file, and the SDK that reads them is not installed.
    """
    sent = config.cu3s_file_path
    if not sent:
        raise InvalidInput("The data configuration names no file; set data.cu3s_file_path.")
    file = DataFile(policy.data_file(sent), sent, policy)
    reader = open_reader(file, config.processing_mode)
    labels = None
    if config.annotation_json_path:
        path = policy.data_file(config.annotation_json_path)
        labels = CocoLabels.read(path, config.annotation_json_path)
        labels.check_images(len(reader))
    return Measurements(file, reader, labels, read_ahead)
