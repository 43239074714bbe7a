# ruff: noqa: N999 - names that the SDK gives
"""The SDK as a whole."""


def init(settings_path=".", global_loglevel=None, logfile_name=None):
    pass


def shutdown():
    pass


def set_log_level(level):
    pass


def version():
    return "stand-in"
