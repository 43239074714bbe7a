"""Base class of the selectors that learn bands from labelled pixels."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fleet_engine.graph.port_spec import Ports, PortSpec, describe
from fleet_engine.nodes.selectors.channel_selector import ChannelSelector
from fleet_engine.nodes.statistics.class_statistics import ClassStatistics
from fleet_platform.errors import InvalidInput

_MIN_DEVIATION = 1e-12

BandCount = Annotated[int, Field(gt=0, le=16384)]
ScoreWeights = tuple[float, float, float]


class SupervisedSelector(ChannelSelector):
    """Image made of three bands that separate masked pixels from the others.

    A band's score is ``w0 z(fisher) + w1 z(auc) + w2 z(mi)``, where z subtracts the mean over the
    bands and divides by their standard deviation (divided by n); a measure that is equal in all
    bands counts as 0. The measures are those of `ClassStatistics`. Redundancy is penalised as in
    `band_choice`. Measurements without a mask are skipped; all others need the same wavelengths.

    Args:
        num_spectral_bands: channels of the cube.
        score_weights: w0, w1 and w2.
        lambda_penalty: weight of the redundancy.
    """

    INPUT_SPECS: ClassVar[Ports] = {
        **ChannelSelector.INPUT_SPECS,
        "mask": PortSpec(torch.bool, (-1, -1, -1, 1), "the class, for the fit", optional=True),
    }
    STRATEGY: ClassVar[str]

    selected_indices: Tensor
    band_scores: Tensor
    fisher_scores: Tensor
    auc_scores: Tensor
    mi_scores: Tensor

    def __init__(
        self,
        num_spectral_bands: int,
        score_weights: ScoreWeights,
        lambda_penalty: float,
        **hparams: Any,
    ) -> None:
        super().__init__(
            num_spectral_bands=num_spectral_bands,
            score_weights=list(score_weights),
            lambda_penalty=lambda_penalty,
            **hparams,
        )
        self.num_spectral_bands = num_spectral_bands
        self.score_weights = score_weights
        self.lambda_penalty = lambda_penalty
        self.register_buffer("selected_indices", torch.zeros(3, dtype=torch.int64))
        for key in ("band_scores", "fisher_scores", "auc_scores", "mi_scores"):
            self.register_buffer(key, torch.zeros(num_spectral_bands))
        self._statistics = ClassStatistics(num_spectral_bands, self.band_scores.device)
        self._wavelengths_nm: list[float] | None = None

    def choose(
        self, scores_C: Tensor, correlation_CC: Tensor, wavelengths_nm: list[float]
    ) -> list[int]:
        """Return the three bands that the strategy selects."""
        raise NotImplementedError

    def extra_info(self) -> dict[str, Any]:
        """Return the entries that a strategy adds to `band_info`."""
        return {}

    def fit_begin(self) -> None:
        """Start without any pixels."""
        self._start()

    def fit_update(
        self, *, cube: Tensor, wavelengths: Tensor, mask: Tensor | None = None, **_: Any
    ) -> None:
        """Add the pixels of cube_BHWC with their classes, mask [B, H, W, 1]."""
        self._check_channels(cube)
        wavelengths_nm = self.wavelengths_of(cube, wavelengths)
        if mask is None:
            return
        if mask.shape != (*cube.shape[:3], 1):
            raise self.refuse("mask", describe(mask), f"bool {[*cube.shape[:3], 1]}")
        self._keep(wavelengths_nm)
        self._statistics.update(cube.reshape(-1, self.num_spectral_bands), mask.reshape(-1))

    def fit_sums(self) -> dict[str, Tensor]:
        """Return the sums of `ClassStatistics`, and the wavelengths if there were pixels."""
        return {
            **self._statistics.sums(),
            "wavelengths": torch.tensor(self._wavelengths_nm or [], dtype=torch.float64),
        }

    def fit_merge(self, parts: Sequence[Mapping[str, Tensor]]) -> None:
        """Replace the statistics with those of all parts together.

        Raises:
            InvalidInput: the wavelengths of the parts differ.
        """
        self._statistics.merge(parts)
        for part in parts:
            if part["wavelengths"].numel():
                self._keep(part["wavelengths"].tolist())

    def fit_end(self) -> None:
        """Score all bands and select three.

        Raises:
            InvalidInput: a class had no pixels.
        """
        statistics = self._statistics
        statistics.refuse_single_class()
        measures = (statistics.fisher(), statistics.auc(), statistics.mutual_information())
        scores_C = torch.stack(
            [w * _standardised(m) for w, m in zip(self.score_weights, measures, strict=True)]
        ).sum(dim=0)
        bands = self.choose(scores_C, statistics.correlation(), self._wavelengths_nm or [])
        self.store("band_scores", scores_C)
        for key, measure_C in zip(("fisher", "auc", "mi"), measures, strict=True):
            self.store(f"{key}_scores", measure_C)
        self.store("selected_indices", torch.tensor(bands))
        self._start()
        self.fitted = True

    def forward(self, cube: Tensor, wavelengths: Tensor, **_: Any) -> dict[str, Any]:
        """Scale the bands that the fit chose.

        Args:
            cube: cube_BHWC, float32; C equals num_spectral_bands.
            wavelengths: [C], nm, int32.

        Returns:
            rgb_image [B, H, W, 3], float32, and band_info.

        Raises:
            InvalidInput: the number of channels or wavelengths does not match, or the loaded
                weights select a band that does not exist.
        """
        self._check_channels(cube)
        return super().forward(cube, wavelengths)

    def bands(self, cube: Tensor, wavelengths_nm: list[float]) -> list[int]:
        """Return the bands that the fit chose.

        Raises:
            InvalidInput: the loaded weights select a band that does not exist.
        """
        bands: list[int] = self.selected_indices.tolist()
        if not all(0 <= band < self.num_spectral_bands for band in bands):
            raise InvalidInput(
                f"Node '{self.name}': selected_indices are {bands}; they must be three of "
                f"0 to {self.num_spectral_bands - 1}."
            )
        return bands

    def strategy_info(self) -> dict[str, Any]:
        """Return the weights of the scores, the redundancy penalty and the strategy's extras."""
        return {
            "strategy": self.STRATEGY,
            "score_weights": [float(weight) for weight in self.score_weights],
            "lambda_penalty": self.lambda_penalty,
            **self.extra_info(),
        }

    def _start(self) -> None:
        self._statistics = ClassStatistics(self.num_spectral_bands, self.band_scores.device)
        self._wavelengths_nm = None

    def _keep(self, wavelengths_nm: list[float]) -> None:
        if self._wavelengths_nm not in (None, wavelengths_nm):
            raise self.refuse(
                "wavelengths",
                "different from those of another measurement",
                "the same for all measurements of the fit",
            )
        self._wavelengths_nm = wavelengths_nm

    def _check_channels(self, cube: Tensor) -> None:
        self.require_channels("cube", cube, "num_spectral_bands", self.num_spectral_bands)


def _standardised(measure_C: Tensor) -> Tensor:
    deviation = measure_C.std(correction=0)
    if deviation <= _MIN_DEVIATION:
        return torch.zeros_like(measure_C)
    return (measure_C - measure_C.mean()) / deviation
