"""The complete workflow, with the duration of each step."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cuvis_fleet import Client, Progress, ResolvedConfig, SavedPipeline, Session
from cuvis_fleet.demo.scene import Scene

_TRAINRUN = "trainrun/rx_statistical"


@dataclass
class Outcome:
    """The result of the workflow.

    Attributes:
        scores_NHW: squared Mahalanobis distance, float32.
        decisions_NHW: true where the pipeline detected an anomaly.
        saved: the files of the saved pipeline.
        trace_id: trace id of the first inference.
        seconds: duration of each step, in order.
    """

    scores_NHW: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0))
    decisions_NHW: npt.NDArray[Any] = field(default_factory=lambda: np.empty(0))
    saved: SavedPipeline | None = None
    trace_id: str = ""
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Measure the duration of the block as `step`."""
        start = time.perf_counter()
        yield
        self.seconds[step] = time.perf_counter() - start


def run(
    client: Client, scene: Scene, served_path: str, on_progress: Callable[[Progress], None]
) -> Outcome:
    """Train RX on a scene, infer and save.

    Args:
        client: client of the server.
        scene: the scene to infer.
        served_path: path of its file for the server.
        on_progress: called with each progress message.

    Raises:
        CuvisFleetError: a call failed.
    """
    outcome = Outcome()
    with ExitStack() as stack:
        with outcome.timed("connect"):
            session = stack.enter_context(client.session())
        _work(session, scene, served_path, on_progress, outcome)
    return outcome


def _work(
    session: Session,
    scene: Scene,
    served_path: str,
    on_progress: Callable[[Progress], None],
    outcome: Outcome,
) -> None:
    with outcome.timed("resolve"):
        plain = session.resolve("trainrun", _TRAINRUN)
        trainrun = session.resolve("trainrun", _TRAINRUN, _overrides(plain, scene, served_path))
    with outcome.timed("apply"):
        session.apply(trainrun)
    with outcome.timed("train"):
        for progress in session.train("statistical"):
            on_progress(progress)
    wavelengths = scene.wavelengths_nm
    if wavelengths is None:
        wavelengths = np.arange(scene.cubes_NHWC.shape[-1], dtype=np.float64)
    with outcome.timed("infer"):
        results = [
            session.infer(cube, wavelengths, outputs=["scores", "decisions"])
            for cube in scene.cubes_NHWC
        ]
    outcome.scores_NHW = np.concatenate([result["scores"][..., 0] for result in results])
    outcome.decisions_NHW = np.concatenate([result["decisions"][..., 0] for result in results])
    outcome.trace_id = results[0].trace_id
    with outcome.timed("save"):
        outcome.saved = session.save(f"demo/{scene.name}.yaml", name=f"RX {scene.name}")


def _overrides(plain: ResolvedConfig, scene: Scene, served_path: str) -> list[str]:
    images, *_, bands = scene.cubes_NHWC.shape
    ids = f"[{','.join(map(str, range(images)))}]"
    overrides = [
        f"data.cu3s_file_path='{served_path}'",
        "data.annotation_json_path=null",
        f"data.train_ids={ids}",
        f"data.val_ids={ids}",
        f"data.test_ids={ids}",
        "data.batch_size=1",
    ]
    for index, node in enumerate(plain.data["pipeline"]["nodes"]):
        hparams = f"pipeline.nodes.{index}.hparams"
        if "num_channels" in node["hparams"]:
            overrides.append(f"{hparams}.num_channels={bands}")
        if "normal_class_ids" in node["hparams"]:
            overrides.append(f"{hparams}.normal_class_ids=[0]")
    return overrides
