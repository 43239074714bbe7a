"""Orders nodes into fit stages."""

from collections.abc import Collection

import networkx as nx

from fleet_engine.graph.pipeline import Pipeline


def unfitted_nodes(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the names of the nodes whose statistics are neither fitted nor loaded."""
    return tuple(
        name for name, node in pipeline.nodes.items() if node.requires_fit and not node.fitted
    )


def fit_stages(pipeline: Pipeline, only: Collection[str] | None = None) -> list[list[str]]:
    """Return the nodes to fit in stages; the stage of a node follows those of its dependencies.

    Args:
        pipeline: the nodes and their connections.
        only: names of the nodes to fit; None: all that learn statistics.
    """
    graph = pipeline.wiring.graph
    level: dict[str, int] = {}
    stages: list[list[str]] = []
    for name in nx.topological_sort(graph):
        before = max((level[source] for source in graph.predecessors(name)), default=0)
        fits = pipeline.nodes[name].requires_fit and (only is None or name in only)
        level[name] = before + 1 if fits else before
        if fits:
            if len(stages) < level[name]:
                stages.append([])
            stages[level[name] - 1].append(name)
    return stages
