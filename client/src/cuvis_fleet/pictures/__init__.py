"""Pictures of scenes, results and training runs; needs ``pip install 'cuvis-fleet[pictures]'``.

Each function returns a new figure, which `save` writes and notebooks show; the program's own
plotting state does not change. The colours are distinguishable with any colour vision.
"""

from cuvis_fleet.extras import needs_extra

with needs_extra("pictures", "Pictures"):
    import matplotlib as _matplotlib  # noqa: F401

from cuvis_fleet.pictures.decision_overlay import decision_overlay
from cuvis_fleet.pictures.pipeline_graph import pipeline_graph
from cuvis_fleet.pictures.preview import preview
from cuvis_fleet.pictures.roc_curve import Roc, roc
from cuvis_fleet.pictures.saving import check_path, save
from cuvis_fleet.pictures.score_map import score_map
from cuvis_fleet.pictures.spectra import spectra
from cuvis_fleet.pictures.training_curves import training_curves

__all__ = [
    "Roc",
    "check_path",
    "decision_overlay",
    "pipeline_graph",
    "preview",
    "roc",
    "save",
    "score_map",
    "spectra",
    "training_curves",
]
