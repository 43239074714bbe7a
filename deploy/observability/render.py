"""Renders Grafana dashboards from `dashboards.yaml`: ``python deploy/observability/render.py``."""

import json
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "dashboards.yaml"
FOLDER = HERE / "grafana" / "dashboards"
_DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
_WIDTH, _HEIGHT, _COLUMNS = 8, 8, 3

Json = dict[str, Any]


def render() -> dict[str, str]:
    """Return the text of each dashboard's file, by file name."""
    dashboards: Json = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    return {
        f"{uid}.json": json.dumps(_dashboard(uid, content), indent=2) + "\n"
        for uid, content in dashboards.items()
    }


def queries() -> list[str]:
    """Return the queries of all dashboards."""
    dashboards: Json = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    panels = [panel for content in dashboards.values() for panel in content["panels"]]
    return [query for _title, _unit, by_legend in panels for query in by_legend.values()]


def _dashboard(uid: str, content: Json) -> Json:
    return {
        "uid": uid,
        "title": content["title"],
        "tags": ["cuvis-fleet"],
        "schemaVersion": 41,
        "refresh": "5s",
        "time": {"from": "now-15m", "to": "now"},
        "panels": [_panel(number, *panel) for number, panel in enumerate(content["panels"])],
    }


def _panel(number: int, title: str, unit: str, by_legend: dict[str, str]) -> Json:
    row, column = divmod(number, _COLUMNS)
    place = {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}
    targets = [
        {
            "refId": chr(ord("A") + index),
            "datasource": _DATASOURCE,
            "expr": query,
            "legendFormat": legend,
            # Only histograms have exemplars.
            "exemplar": "_bucket" in query,
        }
        for index, (legend, query) in enumerate(by_legend.items())
    ]
    return {
        "id": number + 1,
        "title": title,
        "type": "timeseries",
        "datasource": _DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": targets,
    }


if __name__ == "__main__":
    for name, text in render().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
