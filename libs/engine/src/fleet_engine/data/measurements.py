"""The measurements of a data configuration."""

import threading

from fleet_engine.data.coco_labels import CocoLabels
from fleet_engine.data.data_file import DataFile, DataFiles
from fleet_engine.data.measurement import Measurement
from fleet_engine.data.readers import Reader, open_reader
from fleet_platform.errors import InvalidInput
from fleet_schemas import DataConfig


class Measurements:
    """The measurements of one file with labels, if any, read one at a time.

    Attributes:
        read_ahead: how many measurements `batches` may load in advance.
    """

    def __init__(
        self, file: DataFile, reader: Reader, labels: CocoLabels | None, read_ahead: int = 0
    ) -> None:
        self.read_ahead = read_ahead
        self._file = file
        self._reader = reader
        self._labels = labels
        # Readers and the libraries they use are not thread-safe.
        self._reading = threading.Lock()

    def __len__(self) -> int:
        return len(self._reader)

    def check_ids(self, ids: list[int], split: str = "") -> None:
        """Refuse numbers of measurements that the file does not have.

        Args:
            ids: the numbers.
            split: their split, for the error text; empty: none.

        Raises:
            InvalidInput: a number is out of range, or `ids` is empty.
        """
        if not ids:
            raise InvalidInput(
                f"No measurements of '{self._file.sent}' are chosen; list their numbers in the "
                f"data configuration ({self._range})."
            )
        for index in ids:
            if not 0 <= index < len(self):
                file = f"'{self._file.sent}'"
                wrong = (
                    f"The {split} split names measurement {index}, which {file} does not have"
                    if split
                    else f"There is no measurement {index} in {file}"
                )
                raise InvalidInput(f"{wrong}; {self._range}.")

    def check_splits(self, data: DataConfig) -> None:
        """Refuse splits with a measurement that the file does not have; empty splits are valid.

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
            InvalidInput: it is out of range, cannot be read, or its labels do not match it.
        """
        self.check_ids([index])
        with self._reading:
            measurement = self._reader.read(index)
        if self._labels is None:
            return measurement
        height, width, _ = measurement.cube_HWC.shape
        return measurement.with_mask(self._labels.mask(index, height, width))

    def load(self, index: int) -> Measurement:
        """Read measurement `index` into memory and check its values.

        Raises:
            InvalidInput: as in `read`, or the cube contains NaN or infinite values.
        """
        measurement = self.read(index).in_memory()
        if not measurement.is_finite:
            raise InvalidInput(
                f"Measurement {index} of '{self._file.sent}' contains NaN or infinite values; "
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
    """Open the file of a data configuration without reading a cube.

    Args:
        config: `cu3s_file_path` names a file of any supported format; `annotation_json_path` names
            COCO labels, which replace a mask in the file.
        policy: policy on readable files.
        read_ahead: how many measurements `batches` may load in advance; 0: none.

    Raises:
        InvalidInput: the path is not allowed, or the file has an unknown format or is unreadable.
        NotFound: the file does not exist.
        OutOfOrder: the SDK for `.cu3s` files is not installed.
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
