"""Deviation of components from orthonormality."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from fleet_engine.graph.catalogue import published
from fleet_engine.graph.node_tag import NodeTag
from fleet_engine.graph.port_spec import Ports, PortSpec
from fleet_engine.nodes.metrics.model_metric_node import ModelMetricNode


@published("cuvis_ai.node.metrics.ComponentOrthogonalityMetric")
class ComponentOrthogonalityMetric(ModelMetricNode):
    """Measures of the Gram matrix ``G = W W^T``, which is I for orthonormal rows of W.

    ``orthogonality_error`` is the Frobenius norm of G - I, ``avg_off_diagonal`` the mean magnitude
    of all entries of G - I (despite its published name), ``diagonal_mean`` and ``diagonal_std`` the
    mean and sample standard deviation of the diagonal of G. Measures that need two rows are 0 for a
    single row.
    """

    TAGS = (NodeTag.DIM_REDUCTION, NodeTag.EVALUATION)
    INPUT_SPECS: ClassVar[Ports] = {
        "components": PortSpec(torch.float32, (-1, -1), "component_KC, one per row")
    }

    def describe(self, *, components: Tensor, **_: Any) -> dict[str, Tensor]:
        """Measure component_KC."""
        gram_KK = components @ components.T
        diagonal_K = gram_KK.diagonal()
        rows = len(diagonal_K)
        identity_KK = torch.eye(rows, dtype=gram_KK.dtype, device=gram_KK.device)
        deviation_KK = gram_KK - identity_KK
        return {
            "orthogonality_error": torch.linalg.matrix_norm(deviation_KK),
            "avg_off_diagonal": deviation_KK.abs().mean(),
            "diagonal_mean": diagonal_K.mean(),
            "diagonal_std": diagonal_K.std() if rows > 1 else torch.zeros_like(gram_KK[0, 0]),
        }
