"""Runs client code, one request per line, with the packages of this interpreter.

    python interpreter_loop.py ADDRESS

A request is ``{"code": [[file name, text], ...], "shows": [expression, ...]}``: the texts run
one after another in one namespace, and then the expressions are evaluated in it. The reply contains
the printed text, the values of the expressions (as JSON) and, if an exception was raised, its type,
status and text. Calls to the addresses in the guide are redirected to ADDRESS.
"""

import contextlib
import io
import json
import sys
import traceback

import grpc
import numpy as np

_KNOWN = ("localhost:50051", "production-server:50051")
_channels = []


def _redirected(address, connect):
    def connect_redirected(target, *more, **options):
        channel = connect(address if target in _KNOWN else target, *more, **options)
        _channels.append(channel)
        return channel

    return connect_redirected


def _error_record(error):
    called = isinstance(error, grpc.Call)
    return {
        "type": type(error).__name__,
        "code": error.code().name if called else None,
        "text": error.details() if called else str(error),
        "trace": traceback.format_exc(),
    }


def _plain(value):
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return list(value)


def _run(request):
    namespace = {"__name__": "__main__"}
    printed, shown, error = io.StringIO(), {}, None
    with contextlib.redirect_stdout(printed):
        try:
            for file, text in request["code"]:
                namespace["__file__"] = file
                exec(compile(text, file, "exec"), namespace)
            for expression in request["shows"]:
                shown[expression] = eval(expression, namespace)
        except Exception as caught:  # any exception of the client's code is part of the reply
            error = _error_record(caught)
    while _channels:
        _channels.pop().close()
    return {"printed": printed.getvalue(), "shown": shown, "error": error}


def main():
    """Answer requests until the input ends."""
    for kind in ("insecure_channel", "secure_channel"):
        setattr(grpc, kind, _redirected(sys.argv[1], getattr(grpc, kind)))
    answers = sys.stdout
    for line in sys.stdin:
        json.dump(_run(json.loads(line)), answers, default=_plain)
        answers.write("\n")
        answers.flush()


if __name__ == "__main__":
    main()
