"""The built-in nodes, one file each; importing this registers them under their published paths."""

from fleet_engine.nodes.anomaly_bce_with_logits import AnomalyBCEWithLogits
from fleet_engine.nodes.anomaly_detection_metrics import AnomalyDetectionMetrics
from fleet_engine.nodes.anomaly_mask import AnomalyMask
from fleet_engine.nodes.anomaly_pixel_statistics_metric import AnomalyPixelStatisticsMetric
from fleet_engine.nodes.bandpass_by_wavelength import BandpassByWavelength
from fleet_engine.nodes.binary_anomaly_label_mapper import BinaryAnomalyLabelMapper
from fleet_engine.nodes.binary_decider import BinaryDecider
from fleet_engine.nodes.cir_selector import CIRSelector
from fleet_engine.nodes.component_orthogonality_metric import ComponentOrthogonalityMetric
from fleet_engine.nodes.concrete_channel_mixer import ConcreteChannelMixer
from fleet_engine.nodes.cube_rgb_visualizer import CubeRGBVisualizer
from fleet_engine.nodes.deep_svdd_center_tracker import DeepSVDDCenterTracker
from fleet_engine.nodes.deep_svdd_projection import DeepSVDDProjection
from fleet_engine.nodes.deep_svdd_scores import DeepSVDDScores
from fleet_engine.nodes.deep_svdd_soft_boundary_loss import DeepSVDDSoftBoundaryLoss
from fleet_engine.nodes.distinctness_loss import DistinctnessLoss
from fleet_engine.nodes.explained_variance_metric import ExplainedVarianceMetric
from fleet_engine.nodes.fixed_wavelength_selector import FixedWavelengthSelector
from fleet_engine.nodes.high_contrast_selector import HighContrastSelector
from fleet_engine.nodes.identity_normalizer import IdentityNormalizer
from fleet_engine.nodes.iou_loss import IoULoss
from fleet_engine.nodes.lad_global import LADGlobal
from fleet_engine.nodes.learnable_channel_mixer import LearnableChannelMixer
from fleet_engine.nodes.lentils_anomaly_data import LentilsAnomalyDataNode
from fleet_engine.nodes.min_max_normalizer import MinMaxNormalizer
from fleet_engine.nodes.mse_reconstruction_loss import MSEReconstructionLoss
from fleet_engine.nodes.orthogonality_loss import OrthogonalityLoss
from fleet_engine.nodes.pca_visualization import PCAVisualization
from fleet_engine.nodes.per_pixel_unit_norm import PerPixelUnitNorm
from fleet_engine.nodes.pipeline_comparison_visualizer import PipelineComparisonVisualizer
from fleet_engine.nodes.quantile_binary_decider import QuantileBinaryDecider
from fleet_engine.nodes.rgb_anomaly_mask import RGBAnomalyMask
from fleet_engine.nodes.rx_global import RXGlobal
from fleet_engine.nodes.rx_per_batch import RXPerBatch
from fleet_engine.nodes.score_heatmap_visualizer import ScoreHeatmapVisualizer
from fleet_engine.nodes.score_statistics_metric import ScoreStatisticsMetric
from fleet_engine.nodes.score_to_logit import ScoreToLogit
from fleet_engine.nodes.selector_diversity_metric import SelectorDiversityMetric
from fleet_engine.nodes.selector_diversity_regularizer import SelectorDiversityRegularizer
from fleet_engine.nodes.selector_entropy_metric import SelectorEntropyMetric
from fleet_engine.nodes.selector_entropy_regularizer import SelectorEntropyRegularizer
from fleet_engine.nodes.sigmoid_normalizer import SigmoidNormalizer
from fleet_engine.nodes.sigmoid_transform import SigmoidTransform
from fleet_engine.nodes.soft_channel_selector import SoftChannelSelector
from fleet_engine.nodes.supervised_cir_selector import SupervisedCIRSelector
from fleet_engine.nodes.supervised_full_spectrum_selector import SupervisedFullSpectrumSelector
from fleet_engine.nodes.supervised_windowed_selector import SupervisedWindowedSelector
from fleet_engine.nodes.tensorboard_monitor import TensorBoardMonitorNode
from fleet_engine.nodes.top_k_indices import TopKIndices
from fleet_engine.nodes.trainable_pca import TrainablePCA
from fleet_engine.nodes.two_stage_binary_decider import TwoStageBinaryDecider
from fleet_engine.nodes.z_score_normalizer import ZScoreNormalizer
from fleet_engine.nodes.z_score_normalizer_global import ZScoreNormalizerGlobal

__all__ = [
    "AnomalyBCEWithLogits",
    "AnomalyDetectionMetrics",
    "AnomalyMask",
    "AnomalyPixelStatisticsMetric",
    "BandpassByWavelength",
    "BinaryAnomalyLabelMapper",
    "BinaryDecider",
    "CIRSelector",
    "ComponentOrthogonalityMetric",
    "ConcreteChannelMixer",
    "CubeRGBVisualizer",
    "DeepSVDDCenterTracker",
    "DeepSVDDProjection",
    "DeepSVDDScores",
    "DeepSVDDSoftBoundaryLoss",
    "DistinctnessLoss",
    "ExplainedVarianceMetric",
    "FixedWavelengthSelector",
    "HighContrastSelector",
    "IdentityNormalizer",
    "IoULoss",
    "LADGlobal",
    "LearnableChannelMixer",
    "LentilsAnomalyDataNode",
    "MSEReconstructionLoss",
    "MinMaxNormalizer",
    "OrthogonalityLoss",
    "PCAVisualization",
    "PerPixelUnitNorm",
    "PipelineComparisonVisualizer",
    "QuantileBinaryDecider",
    "RGBAnomalyMask",
    "RXGlobal",
    "RXPerBatch",
    "ScoreHeatmapVisualizer",
    "ScoreStatisticsMetric",
    "ScoreToLogit",
    "SelectorDiversityMetric",
    "SelectorDiversityRegularizer",
    "SelectorEntropyMetric",
    "SelectorEntropyRegularizer",
    "SigmoidNormalizer",
    "SigmoidTransform",
    "SoftChannelSelector",
    "SupervisedCIRSelector",
    "SupervisedFullSpectrumSelector",
    "SupervisedWindowedSelector",
    "TensorBoardMonitorNode",
    "TopKIndices",
    "TrainablePCA",
    "TwoStageBinaryDecider",
    "ZScoreNormalizer",
    "ZScoreNormalizerGlobal",
]
