"""The built-in nodes, one file each; importing this registers them under their published paths."""

from fleet_engine.nodes.anomaly_detection_metrics import AnomalyDetectionMetrics
from fleet_engine.nodes.anomaly_mask import AnomalyMask
from fleet_engine.nodes.binary_decider import BinaryDecider
from fleet_engine.nodes.lentils_anomaly_data import LentilsAnomalyDataNode
from fleet_engine.nodes.min_max_normalizer import MinMaxNormalizer
from fleet_engine.nodes.rx_global import RXGlobal
from fleet_engine.nodes.score_to_logit import ScoreToLogit
from fleet_engine.nodes.tensorboard_monitor import TensorBoardMonitorNode

__all__ = [
    "AnomalyDetectionMetrics",
    "AnomalyMask",
    "BinaryDecider",
    "LentilsAnomalyDataNode",
    "MinMaxNormalizer",
    "RXGlobal",
    "ScoreToLogit",
    "TensorBoardMonitorNode",
]
