"""What a person is told where the transport's own words do not say what to do.

Programs and people at a terminal are told the same: an argument goes by its option's name as well.
"""

import grpc

from cuvis_fleet.failure import Failure

_MISTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "Peer name", "Hostname Verification Check failed")
_CLOSED = ("Socket closed", "reset by peer", "GOAWAY")


def explained(failure: Failure, method: str, address: str, *, secure: bool) -> str:
    """The text of a failure, with what to do where no server of this kind wrote it.

    Args:
        failure: as the transport reports it.
        method: that was called.
        address: of the server.
        secure: whether TLS was spoken.
    """
    if failure.trace_id is not None:
        return failure.text
    if failure.code is grpc.StatusCode.UNIMPLEMENTED:
        return (
            f"the server at {address} has no method {method}; it is of an older release, or another"
            f" kind of server ({failure.text})"
        )
    if failure.code is grpc.StatusCode.UNAVAILABLE:
        return f"{_unreachable(failure.text, address, secure=secure)} ({failure.text})"
    return failure.text


def _unreachable(text: str, address: str, *, secure: bool) -> str:
    about_tls = _about_tls(text, address, secure=secure)
    if about_tls is not None:
        return about_tls
    if "Failed parsing HTTP/2" in text or "http1.x" in text:
        return f"what answers at {address} is no server of this kind; is the port the right one?"
    if "No healthy replica" in text or "did not take the call" in text or "Too many calls" in text:
        return f"the fleet at {address} runs, but lacks a part"
    return f"no server answers at {address}; is it running?"


def _about_tls(text: str, address: str, *, secure: bool) -> str | None:
    """What to do where the two sides do not agree on TLS; None: that is not the reason."""
    if any(part in text for part in _MISTRUSTED):
        return (
            f"the certificate of the server at {address} is not one to trust; name the file of its"
            " authority (tls=, or --ca), and the server as its certificate does"
        )
    if "WRONG_VERSION_NUMBER" in text or "Cannot check peer" in text:
        return f"the server at {address} speaks no TLS; connect without it"
    was_closed = any(part in text for part in _CLOSED)
    was_refused = was_closed and "failed to connect" in text
    if secure and (was_refused or "handshake" in text.lower() or "SSL" in text):
        return (
            f"no TLS connection with {address} came about; does it want a certificate of yours"
            " (certificate=, or --cert and --key-file)?"
        )
    if was_closed and not secure:
        return (
            f"{address} closed the connection; if the server there speaks TLS, connect with it"
            " (tls=, or --tls)"
        )
    return None
