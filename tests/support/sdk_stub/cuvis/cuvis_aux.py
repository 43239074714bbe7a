"""Errors of the SDK."""


class SDKException(Exception):
    def __init__(self, *args):
        self.message = args or "unknown error"
        super().__init__(self.message)
