"""The built-in nodes, one file each; importing this registers them under their published paths."""

from fleet_engine.nodes.anomaly_bce_with_logits import AnomalyBCEWithLogits
from fleet_engine.nodes.anomaly_detection_metrics import AnomalyDetectionMetrics
from fleet_engine.nodes.anomaly_mask import AnomalyMask
from fleet_engine.nodes.binary_decider import BinaryDecider
from fleet_engine.nodes.deep_svdd_soft_boundary_loss import DeepSVDDSoftBoundaryLoss
from fleet_engine.nodes.distinctness_loss import DistinctnessLoss
from fleet_engine.nodes.iou_loss import IoULoss
from fleet_engine.nodes.lentils_anomaly_data import LentilsAnomalyDataNode
from fleet_engine.nodes.min_max_normalizer import MinMaxNormalizer
from fleet_engine.nodes.mse_reconstruction_loss import MSEReconstructionLoss
from fleet_engine.nodes.orthogonality_loss import OrthogonalityLoss
from fleet_engine.nodes.rx_global import RXGlobal
from fleet_engine.nodes.score_to_logit import ScoreToLogit
from fleet_engine.nodes.selector_diversity_regularizer import SelectorDiversityRegularizer
from fleet_engine.nodes.selector_entropy_regularizer import SelectorEntropyRegularizer
from fleet_engine.nodes.tensorboard_monitor import TensorBoardMonitorNode

__all__ = [
    "AnomalyBCEWithLogits",
    "AnomalyDetectionMetrics",
    "AnomalyMask",
    "BinaryDecider",
    "DeepSVDDSoftBoundaryLoss",
    "DistinctnessLoss",
    "IoULoss",
    "LentilsAnomalyDataNode",
    "MSEReconstructionLoss",
    "MinMaxNormalizer",
    "OrthogonalityLoss",
    "RXGlobal",
    "ScoreToLogit",
    "SelectorDiversityRegularizer",
    "SelectorEntropyRegularizer",
    "TensorBoardMonitorNode",
]
