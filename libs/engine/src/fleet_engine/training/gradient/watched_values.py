"""Checks that the values that callbacks monitor are logged."""

from collections.abc import Mapping

from lightning.pytorch import Callback, LightningModule, Trainer

from fleet_platform.errors import InvalidInput


class WatchedValues(Callback):
    """Refuses an unknown value name before a callback or a schedule fails on it."""

    def __init__(self, watched: Mapping[str, str]) -> None:
        """Create the callback for names of values, each with the setting that contains it."""
        self._watched = watched

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Check the names; raises InvalidInput that lists the logged values."""
        if not trainer.sanity_checking:
            self._check(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Check the names if there is no validation; raises likewise."""
        if not trainer.enable_validation:
            self._check(trainer)

    def _check(self, trainer: Trainer) -> None:
        for name, place in self._watched.items():
            if name not in trainer.callback_metrics:
                known = ", ".join(sorted(trainer.callback_metrics))
                raise InvalidInput(
                    f"{place} is '{name}', but no value of that name is logged. Logged are: "
                    f"{known}."
                )
