"""Training: statistical fitting by streaming the data."""

from fleet_engine.training.fit_event import FitEvent
from fleet_engine.training.statistical import Batch, fit_statistics

__all__ = ["Batch", "FitEvent", "fit_statistics"]
