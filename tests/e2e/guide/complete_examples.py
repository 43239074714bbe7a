"""Snippets of the guide's chapter Complete Examples."""

from tests.e2e.guide.snippet import Snippet

_COMPLETE = r"^\[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_COMPLETE"
_EPOCH = r"^\[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_RUNNING \| losses={.*Epoch "

_RESTORED_SESSION = {
    "    if mode == ": "    session_id = restore_response.session_id\n    if mode == "
}
"""The printed code ignores the restored session and continues in an empty one."""
_INFO = {
    'mode="train",': 'mode="info",',
    "in inputs.inputs.": "in inputs.input_specs.",
    "in outputs.outputs.": "in outputs.output_specs.",
}
"""Every release has these fields in the replies; none has the printed ones."""

COMPLETE_EXAMPLES = [
    Snippet(
        "21_example_1_statistical_training",
        "Complete Examples / Example 1: Statistical Training",
        holds={
            "config_dict['data']['batch_size']": 4,
            "config_dict['training']['trainer']['max_epochs']": 1,
            "config_dict['training']['seed']": 42,
        },
        prints=(
            r"\ARunning statistical training\.\.\.$",
            r"^\[EXECUTION_STAGE_TRAIN\] TRAIN_STATUS_RUNNING",
            _COMPLETE,
            r"^Done!\n\Z",
        ),
    ),
    Snippet(
        "22_example_2_gradient_training",
        "Complete Examples / Example 2: Gradient Training",
        prints=(
            r"\AStatistical initialization\.\.\.$",
            _COMPLETE,
            r"^Gradient training\.\.\.$",
            f"{_EPOCH}1/5 complete",
            f"{_EPOCH}5/5 complete",
            rf"{_COMPLETE}.*\n\Z",
        ),
    ),
    Snippet(
        "23_example_3_complete_workflow",
        "Complete Examples / Example 3: Complete Workflow",
        holds={
            "results['BinaryDecider.decisions'].shape": [1, 32, 32, 1],
            "results['RXGlobal.scores'].dtype.name": "float32",
        },
        prints=(
            r"\ATraining pipeline\.\.\.$",
            f"{_EPOCH}3/3 complete",
            _COMPLETE,
            r"^Saved: /.*/outputs/my_pipeline\.yaml, /.*/outputs/my_pipeline\.pt$",
            r"^Inference outputs: \[.*'SoftChannelSelector.selected'.*\]\n\Z",
        ),
    ),
    Snippet(
        "24_example_4_run_inference",
        "Complete Examples / Example 4: Inference with Pretrained Model",
        prints=(
            r"\ARunning inference on 7 samples\.\.\.$",
            r"(?:^Sample decisions: \(1, 32, 32, 1\)\n){7}\Z",
        ),
    ),
    Snippet(
        "25_example_5_restore_trainrun",
        "Complete Examples / Example 5: Restore TrainRun",
        prints=(r"\AContinuing training\.\.\.$",),
        refused=("FAILED_PRECONDITION", "no pipeline.*LoadPipeline or SetTrainRunConfig"),
        case="as printed: continues in the session that was not restored",
    ),
    Snippet(
        "25_example_5_restore_trainrun",
        "Complete Examples / Example 5: Restore TrainRun",
        fills=_RESTORED_SESSION,
        prints=(r"\AContinuing training\.\.\.$", f"{_EPOCH}1/1 complete", rf"{_COMPLETE}.*\n\Z"),
        case="train, in the restored session",
    ),
    Snippet(
        "25_example_5_restore_trainrun",
        "Complete Examples / Example 5: Restore TrainRun",
        fills={**_RESTORED_SESSION, **_INFO},
        prints=(
            r"\APipeline Inputs:$",
            r"^  cube: D_TYPE_\w+ \[-1, -1, -1, -1\]$",
            r"^Pipeline Outputs:$",
            r"^  .*: D_TYPE_FLOAT32 \[\]$",
        ),
        case="info, in the restored session",
    ),
]
