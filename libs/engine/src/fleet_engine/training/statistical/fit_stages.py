"""Which nodes are fitted together, and which have no fit yet."""

from collections.abc import Collection

import networkx as nx

from fleet_engine.graph.pipeline import Pipeline


def unfitted_nodes(pipeline: Pipeline) -> tuple[str, ...]:
    """Names of the nodes that learn statistics and have none, fitted or loaded."""
    return tuple(
        name for name, node in pipeline.nodes.items() if node.requires_fit and not node.fitted
    )


def fit_stages(pipeline: Pipeline, only: Collection[str] | None = None) -> list[list[str]]:
    """Nodes to be fitted, in waves: a node's wave follows those of all that it depends on.

    Args:
        pipeline: the nodes and their connections.
        only: names of the nodes that are to be fitted; None: all that learn statistics.
    """
    graph = pipeline.wiring.graph
    level: dict[str, int] = {}
    waves: list[list[str]] = []
    for name in nx.topological_sort(graph):
        before = max((level[source] for source in graph.predecessors(name)), default=0)
        fits = pipeline.nodes[name].requires_fit and (only is None or name in only)
        level[name] = before + 1 if fits else before
        if fits:
            if len(waves) < level[name]:
                waves.append([])
            waves[level[name] - 1].append(name)
    return waves
