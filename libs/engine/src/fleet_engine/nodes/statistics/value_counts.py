"""Counts of the values of a band in both classes, and measures derived from them."""

import numpy as np
import numpy.typing as npt

DISTINCT = 65536
"""Maximum number of distinct values of a band: as many as 16 bits can represent."""

_MAGNITUDE = 0x7FFFFFFF

Values = npt.NDArray[np.float32]
Keys = npt.NDArray[np.int32]
Counts = npt.NDArray[np.int64]


class ValueCounts:
    """Counts of the float32 values of one band among negative and positive pixels.

    The counts are exact for any number of pixels with at most `DISTINCT` different values, such as
    those of a sensor of up to 16 bits, scaled or not. If there are more, neighbouring values are
    counted together by dropping as few of the lowest bits of the float as needed. The counts do not
    depend on the order or the batches of the pixels.

    NumPy is used because it sorts integers several times faster than torch on the CPU.

    Attributes:
        keys_K: the values as integers of the same order, ascending, without the lowest `shift`
            bits.
        counts_2K: number of negative and positive pixels for each value.
        shift: number of dropped bits.
    """

    def __init__(self) -> None:
        self.keys_K: Keys = np.zeros(0, np.int32)
        self.counts_2K: Counts = np.zeros((2, 0), np.int64)
        self.shift = 0

    def update(self, negative_N: Values, positive_M: Values) -> None:
        """Count the finite values of negative and of positive pixels."""
        for row, values in enumerate((negative_N, positive_M)):
            keys_K, count_K = np.unique(_to_keys(values) >> self.shift, return_counts=True)
            counts_2K = np.zeros((2, len(keys_K)), np.int64)
            counts_2K[row] = count_K
            self.add(keys_K, counts_2K, self.shift)

    def add(self, keys_K: Keys, counts_2K: Counts, shift: int) -> None:
        """Add other counts, whose keys lack the lowest `shift` bits."""
        dropped = max(shift, self.shift)
        keys, counts = _summed(
            np.concatenate((self.keys_K >> (dropped - self.shift), keys_K >> (dropped - shift))),
            np.concatenate((self.counts_2K, counts_2K), axis=1),
        )
        more = 0
        while np.count_nonzero(np.diff(keys >> more)) >= DISTINCT:
            more += 1
        if more:
            keys, counts = _summed(keys >> more, counts)
        self.keys_K, self.counts_2K, self.shift = keys, counts, dropped + more

    def auc(self) -> float:
        """Return the area under the ROC curve of the value as a score.

        This is the probability that a positive pixel has the greater value, with equal values
        counted half (Mann & Whitney 1947). Both classes must have pixels.
        """
        negative_K, positive_K = self.counts_2K.astype(np.float64)
        below_K = negative_K.cumsum() - negative_K / 2
        return float(positive_K @ below_K / (negative_K.sum() * positive_K.sum()))

    def mutual_information(self, bins: int) -> float:
        """Return the mutual information of class and binned value, in bits.

        The bins begin at `bins` values, evenly spaced from the lowest to the highest value; the
        last bin therefore contains only the highest value. Both classes must have pixels.
        """
        values_K = _to_values(self.keys_K << self.shift)
        starts = np.linspace(values_K[0], values_K[-1], bins)
        bin_K = np.digitize(values_K, starts) - 1
        pixels_2B = np.stack([np.bincount(bin_K, count_K, bins) for count_K in self.counts_2K])
        joint_2B = pixels_2B / self.counts_2K.sum()
        independent_2B = joint_2B.sum(axis=1, keepdims=True) * joint_2B.sum(axis=0)
        held = joint_2B > 0
        return float(joint_2B[held] @ np.log2(joint_2B[held] / independent_2B[held]))


def _summed(keys_K: Keys, counts_2K: Counts) -> tuple[Keys, Counts]:
    """Sort the keys and merge equal ones by adding their counts."""
    if not len(keys_K):
        return keys_K, counts_2K
    order = keys_K.argsort(kind="stable")
    keys = keys_K[order]
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1])))
    return keys[starts], np.add.reduceat(counts_2K[:, order], starts, axis=1)


def _to_keys(values_N: Values) -> Keys:
    """Return integers in the order of the floats; -0.0 and 0.0 are equal."""
    bits = (values_N + np.float32(0)).view(np.int32)
    return np.where(bits < 0, bits ^ _MAGNITUDE, bits)


def _to_values(keys_K: Keys) -> Values:
    return np.where(keys_K < 0, keys_K ^ _MAGNITUDE, keys_K).view(np.float32)
