"""Roles of the nodes in a training."""

from collections.abc import Iterable

from fleet_engine.graph.node import Node
from fleet_engine.graph.pipeline import Pipeline
from fleet_engine.training.job.gradient_job import GradientJob
from fleet_platform.errors import InvalidInput


def prepare_nodes(pipeline: Pipeline, job: GradientJob) -> None:
    """Freeze and unfreeze the nodes of a job.

    Raises:
        InvalidInput: a named node does not exist, no loss is named, a node is both frozen and
            unfrozen, or nothing is trainable.
    """
    check_nodes(pipeline, job)
    for name in job.unfreeze_nodes:
        pipeline.nodes[name].unfreeze()
    for name in job.freeze_nodes:
        pipeline.nodes[name].freeze()
    if not any(p.requires_grad for node in pipeline.nodes.values() for p in node.parameters()):
        candidates = [name for name, node in pipeline.nodes.items() if can_learn(node)]
        raise InvalidInput(
            "Nothing is trainable: no node has parameters that are not frozen. Name nodes in "
            f"unfreeze_nodes; those that can be trained are: {', '.join(candidates) or 'none'}."
        )


def check_nodes(pipeline: Pipeline, job: GradientJob) -> None:
    """Refuse unknown or contradictory names; raises like `prepare_nodes`."""
    if not job.loss_nodes:
        raise InvalidInput("loss_nodes is empty; name at least one node whose output is minimised.")
    for key in ("loss_nodes", "metric_nodes", "freeze_nodes", "unfreeze_nodes"):
        _check_names(pipeline, key, getattr(job, key))
    for name in job.loss_nodes:
        if not pipeline.nodes[name].OUTPUT_SPECS:
            raise InvalidInput(f"loss_nodes: '{name}' has no outputs, so it cannot be a loss.")
    for name in job.metric_nodes:
        if "metrics" not in pipeline.nodes[name].OUTPUT_SPECS:
            raise InvalidInput(f"metric_nodes: '{name}' has no output 'metrics'.")
    both = sorted(set(job.freeze_nodes) & set(job.unfreeze_nodes))
    if both:
        raise InvalidInput(f"freeze_nodes and unfreeze_nodes both name {', '.join(both)}.")


def can_learn(node: Node) -> bool:
    """Return whether gradients could reach the node once it is unfrozen."""
    return bool(node.TRAINABLE_BUFFERS) or any(True for _ in node.parameters())


def _check_names(pipeline: Pipeline, key: str, names: Iterable[str]) -> None:
    unknown = [name for name in names if name not in pipeline.nodes]
    if unknown:
        raise InvalidInput(
            f"{key} names {', '.join(unknown)}, which the pipeline does not have. Its nodes: "
            f"{', '.join(pipeline.nodes)}."
        )
