"""What a person is told where the transport's own words do not say what to do."""

import grpc

from cuvis_fleet.failure import Failure


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
    if "CERTIFICATE_VERIFY_FAILED" in text or "Peer name" in text:
        return (
            f"the certificate of the server at {address} is not one to trust; name the file of its"
            " authority with tls=, and the server as its certificate does"
        )
    if "WRONG_VERSION_NUMBER" in text or "Cannot check peer" in text:
        return f"the server at {address} speaks no TLS; connect without tls="
    if secure and ("handshake" in text.lower() or "SSL" in text):
        return (
            f"no TLS connection with {address}; does it want a certificate of yours, certificate=?"
        )
    if not secure and any(part in text for part in ("Socket closed", "reset by peer", "GOAWAY")):
        return f"{address} closed the connection; if the server there speaks TLS, connect with tls="
    if "No healthy replica" in text or "did not take the call" in text or "Too many calls" in text:
        return f"the fleet at {address} runs, but lacks a part"
    return f"no server answers at {address}; is it running?"
