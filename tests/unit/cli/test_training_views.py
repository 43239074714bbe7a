"""Views of a training: lines, values and curves."""

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from cuvis_fleet.cli.report import Report
from cuvis_fleet.cli.training.chart import chart
from cuvis_fleet.cli.training.curves import Curves, resampled, sparkline
from cuvis_fleet.cli.training.training_views import training_view, watched
from cuvis_fleet.models.progress import Progress

MESSAGE = Progress("train", "running", 0, 0, 0, {}, {}, "Training (1/2)", "", 1, 2)


def drawn(renderable, width=80):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


@pytest.fixture
def report(request):
    made = Report(as_json=getattr(request, "param", False))
    made.out = Console(file=io.StringIO(), width=80)
    made.err = Console(file=io.StringIO(), width=80)
    return made


@pytest.mark.parametrize(
    ("values", "width", "bars"),
    [
        ([0.0, 7.0], 8, "▁█"),
        ([0, 1, 2, 3, 4, 5, 6, 7], 8, "▁▂▃▄▅▆▇█"),
        ([3.0, 3.0], 8, "▁▁"),
        ([1.0, float("nan"), 2.0], 8, "▁█"),
        ([0, 0, 7, 7], 2, "▁█"),
        ([], 8, ""),
    ],
)
def test_a_sparkline_spans_minimum_to_maximum(values, width, bars):
    assert sparkline(values, width) == bars


def test_resampled_values_are_means_of_segments():
    assert resampled([1, 2, 3, 4, 5, 6], 3) == [1.5, 3.5, 5.5]
    assert resampled([1, 2], 3) == [1, 2]


def test_a_falling_curve_falls_across_the_chart():
    lines = chart({"loss": [4.0, 3.0, 2.0, 1.0]}, 30, 4).plain.splitlines()
    assert len(lines) == 4
    assert lines[0].lstrip().startswith("4 │")
    assert lines[-1].lstrip().startswith("1 │")
    firsts = [min(i for i, dot in enumerate(line) if dot > "⠀") for line in lines]
    assert firsts == sorted(firsts)
    assert len(set(firsts)) == 4


def test_two_values_are_one_straight_line_without_gaps():
    lines = chart({"loss": [0.0, 1.0]}, 30, 5).plain.splitlines()
    columns = zip(*(line.partition("│")[2] for line in lines), strict=True)
    assert all(any(dot > "⠀" for dot in column) for column in columns)


@pytest.mark.parametrize("values", [[], [float("inf")], [float("nan")]])
def test_empty_series_draw_nothing(values):
    assert chart({"loss": values}, 30, 4).plain == ""


def test_total_losses_and_validation_metrics_are_shown():
    curves = Curves()
    curves.add(replace(MESSAGE, losses={"total": 2.0, "bce": 1.0}, metrics={"iou": 0.1}))
    curves.add(replace(MESSAGE, stage="val", losses={"total": 3.0}, metrics={"iou": 0.2}))
    curves.add(replace(MESSAGE, stage="val", epoch=1, metrics={"iou": 0.3}))
    curves.add(replace(MESSAGE, stage="val", epoch=1, metrics={"iou": 0.4}))
    assert curves.losses == {"train total": [2.0], "val total": [3.0]}
    assert curves.metrics == {"val iou": [0.2, 0.4]}


@pytest.mark.parametrize("width", [100, 60, 20, 1])
def test_a_picture_fits_any_width(width):
    curves = Curves()
    for epoch in range(9):
        curves.add(replace(MESSAGE, epoch=epoch, losses={"total": 9.0 - epoch}))
    shown = drawn(watched("rx", "gradient", MESSAGE, curves, width), width)
    lines = shown.splitlines()
    assert all(len(line) <= width for line in lines)
    assert set(lines[2].strip()) <= {"━", "╸", "╺"}, "the bar has a line of its own"
    assert ("│" in shown) is (width >= 40)


def test_lines_show_the_last_message_of_each_node_and_stage(report):
    with training_view(report, "rx", watch=False) as view:
        for message, node in (("Fitting A (1/2)", "A"), ("Fitted A", "A"), ("Fitted B", "B")):
            view.show("statistical", replace(MESSAGE, message=message, node=node))
        done = replace(MESSAGE, status="complete", message="done", metrics={"iou": 0.5})
        view.show("statistical", done)
    assert report.err.file.getvalue().splitlines() == [
        "statistical: Fitted A",
        "statistical: Fitted B",
        "statistical: epoch 0, train, done  iou 0.5",
    ]


def test_a_watched_training_without_a_terminal_is_shown_as_lines(report):
    with training_view(report, "rx", watch=True) as view:
        view.show("statistical", MESSAGE)
    assert report.err.file.getvalue() == "statistical: epoch 0, train, Training (1/2)\n"


@pytest.mark.parametrize("report", [True], indirect=True)
def test_json_has_each_message_and_only_finite_numbers(report):
    with training_view(report, "rx", watch=True) as view:
        view.show("gradient", replace(MESSAGE, losses={"total": float("nan")}))
    document = json.loads(report.out.file.getvalue())
    assert (document["event"], document["trainer"], document["losses"]) == (
        "progress",
        "gradient",
        {"total": None},
    )
    assert report.err.file.getvalue() == ""
