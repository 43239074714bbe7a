"""The settings class of each part that compose.yaml and the Kubernetes objects start."""

from fleet_config.settings import ConfigSettings
from fleet_gateway import GatewaySettings
from fleet_inference.settings import InferenceSettings
from fleet_session.settings import SessionSettings
from fleet_trainer.settings import TrainerSettings

SETTINGS = {
    "gateway": GatewaySettings,
    "session": SessionSettings,
    "config": ConfigSettings,
    "trainer": TrainerSettings,
    "inference": InferenceSettings,
}
