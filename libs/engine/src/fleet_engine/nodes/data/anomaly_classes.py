"""Mapping from class ids to anomaly labels."""

import torch
from torch import Tensor, nn


class AnomalyClasses(nn.Module):
    """Maps class ids to anomaly labels.

    A class is anomalous if it is listed as anomalous or, without such a list, if it is not listed
    as normal.

    Args:
        normal: ids of the classes that are background.
        anomalous: ids of the classes that are anomalies; None: all that are not normal.

    Raises:
        ValueError: an id is in both lists.
    """

    normal_ids: Tensor
    anomaly_ids: Tensor | None

    def __init__(self, normal: list[int], anomalous: list[int] | None) -> None:
        super().__init__()
        both = sorted(set(normal) & set(anomalous or ()))
        if both:
            raise ValueError(f"class ids {both} are in normal_class_ids and in anomaly_class_ids")
        self.register_buffer("normal_ids", _ids(normal), persistent=False)
        ids = None if anomalous is None else _ids(anomalous)
        self.register_buffer("anomaly_ids", ids, persistent=False)

    def forward(self, classes: Tensor) -> Tensor:
        """Return a bool tensor of the shape of `classes`, any integer dtype; true: anomalous."""
        classes = classes.to(torch.int64)
        if self.anomaly_ids is None:
            return torch.isin(classes, self.normal_ids, invert=True)
        return torch.isin(classes, self.anomaly_ids)


def _ids(class_ids: list[int]) -> Tensor:
    return torch.tensor(class_ids, dtype=torch.int64)
