"""How well decisions agree with the truth."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.context import Context
from fleet_engine.graph.metric import Metric
from fleet_engine.graph.node import Node
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.graph.stage import Stage


@published("cuvis_ai.node.metrics.AnomalyDetectionMetrics")
class AnomalyDetectionMetrics(Node):
    """Precision, recall, F1, intersection over union and, given logits, average precision.

    Over all pixels of a batch, with TP, FP and FN the counts of true positives, false positives and
    false negatives: precision TP / (TP + FP), recall TP / (TP + FN), F1 2TP / (2TP + FP + FN),
    IoU TP / (TP + FP + FN); 0 / 0 is 0. Average precision is the sum over all distinct scores, from
    the highest, of precision times the gain in recall.
    """

    INPUT_SPECS: ClassVar[Ports] = {
        "decisions": PortSpec(torch.bool, (-1, -1, -1, 1), "true: found"),
        "targets": PortSpec(torch.bool, (-1, -1, -1, 1), "true: anomaly"),
        "logits": PortSpec(torch.float32, (-1, -1, -1, 1), "for average precision", optional=True),
    }
    OUTPUT_SPECS: ClassVar[Ports] = {"metrics": PortSpec(None, (), "list of Metric")}
    STAGES = frozenset({Stage.VAL, Stage.TEST})
    OBSERVER = True

    def forward(
        self,
        decisions: Tensor,
        targets: Tensor,
        context: Context,
        logits: Tensor | None = None,
        **_: Any,
    ) -> dict[str, list[Metric]]:
        """Compare decisions and targets, both bool [B, H, W, 1]."""
        true_positive = int((decisions & targets).sum())
        false_positive = int((decisions & ~targets).sum())
        false_negative = int((~decisions & targets).sum())
        wrong = false_positive + false_negative
        values = {
            "precision": _ratio(true_positive, true_positive + false_positive),
            "recall": _ratio(true_positive, true_positive + false_negative),
            "f1_score": _ratio(2 * true_positive, 2 * true_positive + wrong),
            "iou": _ratio(true_positive, true_positive + wrong),
        }
        if logits is not None:
            values["average_precision"] = _average_precision(logits.flatten(), targets.flatten())
        return {
            "metrics": [
                Metric(name, value, context.stage, context.epoch, context.batch_idx)
                for name, value in values.items()
            ]
        }


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _average_precision(scores_N: Tensor, targets_N: Tensor) -> float:
    positives = int(targets_N.sum())
    if positives == 0:
        return 0.0
    ranked_N, order_N = torch.sort(scores_N, descending=True)
    found_N = targets_N[order_N].cumsum(dim=0)
    # Pixels of equal score are found together: only the last of each run counts.
    last_N = torch.ones_like(ranked_N, dtype=torch.bool)
    last_N[:-1] = ranked_N[1:] != ranked_N[:-1]
    taken = last_N.nonzero().squeeze(1) + 1
    found = found_N[last_N].to(torch.float64)
    gain = torch.diff(found, prepend=found.new_zeros(1)) / positives
    return float((found / taken * gain).sum())
