"""Agreement of decisions and scores with the ground truth."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.metrics.average_precision import (
    average_precision,
    average_precision_of_counts,
)
from fleet_engine.nodes.metrics.metric_node import MetricNode
from fleet_engine.nodes.metrics.score_bins import BINS, bins_of


@published("cuvis_ai.node.metrics.AnomalyDetectionMetrics")
class AnomalyDetectionMetrics(MetricNode):
    """Precision, recall, F1 and intersection over union of decisions; average precision of logits.

    TP, FP and FN count the true positives, false positives and false negatives among all pixels:
    precision TP / (TP + FP), recall TP / (TP + FN), f1_score 2TP / (2TP + FP + FN),
    iou TP / (TP + FP + FN); 0 / 0 is 0. image_precision, image_recall and image_f1 are the same
    over measurements, each of which counts as found or anomalous if one of its pixels is.

    Average precision is exact for a batch. When batches are pooled, logits that agree in their
    first 18 bits (within 1/512 of their magnitude, see `score_bins`) count as equal. This works for
    logits of any magnitude, whereas thresholds of the sigmoid could not separate very large or very
    small ones.

    Args:
        ap_thresholds: accepted for compatibility with configurations of the newest release; has no
            effect, since pooling is finer than any number of thresholds.
        pixel_stride: average precision uses every n-th pixel in row-major order; 1: all pixels.
    """

    TAGS = (NodeTag.MASK, NodeTag.ANOMALY, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: found", optional=True),
        "targets": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly"),
        "logits": PortSpec(torch.float32, (-1, -1, -1, 1), "for average precision", optional=True),
    }

    def __init__(
        self,
        ap_thresholds: Annotated[int, Field(gt=0)] = 200,
        pixel_stride: Annotated[int, Field(gt=0)] = 1,
        **hparams: Any,
    ) -> None:
        super().__init__(ap_thresholds=ap_thresholds, pixel_stride=pixel_stride, **hparams)
        self.pixel_stride = pixel_stride

    def sums(
        self,
        *,
        targets: Tensor,
        decisions: Tensor | None = None,
        logits: Tensor | None = None,
        **_: Any,
    ) -> dict[str, Tensor]:
        """Count agreements of decisions with targets, and targets by bin of the logits.

        Raises:
            InvalidInput: the shapes differ.
        """
        sums = {}
        if decisions is not None:
            self._require_shape(targets, "decisions", decisions)
            sums["pixels"] = _agreement(decisions, targets)
            sums["images"] = _agreement(decisions.flatten(1).any(1), targets.flatten(1).any(1))
        if logits is not None:
            self._require_shape(targets, "logits", logits)
            scores_N, targets_N = self._sampled(logits, targets)
            keys_N = bins_of(scores_N) + BINS * targets_N
            sums["by_bin"] = torch.bincount(keys_N, minlength=2 * BINS).reshape(2, BINS)
        return sums

    def values(self, sums: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the ratios of the counts."""
        values = {}
        if "pixels" in sums:
            values.update(_ratios(sums["pixels"], "precision", "recall", "f1_score", "iou"))
            values.update(_ratios(sums["images"], "image_precision", "image_recall", "image_f1"))
        if "by_bin" in sums:
            negatives_K, positives_K = sums["by_bin"]
            values["average_precision"] = average_precision_of_counts(positives_K, negatives_K)
        return values

    def values_of_batch(
        self,
        sums: Mapping[str, Tensor],
        *,
        targets: Tensor,
        logits: Tensor | None = None,
        **_: Any,
    ) -> dict[str, float]:
        """Return the ratios of one batch, with the exact average precision."""
        values = self.values({name: value for name, value in sums.items() if name != "by_bin"})
        if logits is not None:
            values["average_precision"] = average_precision(*self._sampled(logits, targets))
        return values

    def _sampled(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        return logits.flatten()[:: self.pixel_stride], targets.flatten()[:: self.pixel_stride]

    def _require_shape(self, targets: Tensor, port: str, value: Tensor) -> None:
        if value.shape != targets.shape:
            raise self.refuse(
                port, f"shape {list(value.shape)}", f"{list(targets.shape)}, as 'targets' has"
            )


def _agreement(found: Tensor, true: Tensor) -> Tensor:
    """Return the counts of true positives, false positives and false negatives."""
    return torch.stack([(found & true).sum(), (found & ~true).sum(), (~found & true).sum()])


def _ratios(agreement: Tensor, *names: str) -> dict[str, float]:
    hits, false_alarms, misses = agreement.tolist()
    wrong = false_alarms + misses
    ratios = (
        _ratio(hits, hits + false_alarms),
        _ratio(hits, hits + misses),
        _ratio(2 * hits, 2 * hits + wrong),
        _ratio(hits, hits + wrong),
    )
    return dict(zip(names, ratios, strict=False))


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
