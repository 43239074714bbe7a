"""Looks, as soon as there are values, whether those that callbacks follow are among them."""

from collections.abc import Mapping

from lightning.pytorch import Callback, LightningModule, Trainer

from fleet_platform.errors import InvalidInput


class WatchedValues(Callback):
    """Refuses a name that no value has, before a callback or a schedule trips over it."""

    def __init__(self, watched: Mapping[str, str]) -> None:
        """Take the names that are watched, each with the place in the settings that names it."""
        self._watched = watched

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look; raises InvalidInput with the values that there are."""
        if not trainer.sanity_checking:
            self._look(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look, where there is no validation; raises likewise."""
        if not trainer.enable_validation:
            self._look(trainer)

    def _look(self, trainer: Trainer) -> None:
        for name, place in self._watched.items():
            if name not in trainer.callback_metrics:
                known = ", ".join(sorted(trainer.callback_metrics))
                raise InvalidInput(
                    f"{place} is '{name}', but no value of that name is logged. Logged are: "
                    f"{known}."
                )
