"""Error texts for failures that the transport describes too tersely to act on.

The library and the command line share them, so they name both the argument and the option.
"""

import grpc

from cuvis_fleet.transport.rpc_failure import RpcFailure

_MISTRUSTED = ("CERTIFICATE_VERIFY_FAILED", "Peer name", "Hostname Verification Check failed")
_CLOSED = ("Socket closed", "reset by peer", "GOAWAY")


def explained(failure: RpcFailure, method: str, address: str, *, secure: bool) -> str:
    """Return the text of a failure, with a remedy unless a server of this kind wrote the text.

    Args:
        failure: the failed attempt.
        method: name of the called method.
        address: address of the server.
        secure: whether the connection uses TLS.
    """
    if failure.trace_id is not None:
        return failure.text
    if failure.code is grpc.StatusCode.UNIMPLEMENTED:
        return (
            f"the server at {address} does not implement {method}; it is an older release or"
            f" another kind of server ({failure.text})"
        )
    if failure.code is grpc.StatusCode.UNAVAILABLE:
        return f"{_unreachable(failure.text, address, secure=secure)} ({failure.text})"
    return failure.text


def _unreachable(text: str, address: str, *, secure: bool) -> str:
    about_tls = _about_tls(text, address, secure=secure)
    if about_tls is not None:
        return about_tls
    if "Failed parsing HTTP/2" in text or "http1.x" in text:
        return f"{address} is not a server of this kind; check the port"
    if "No healthy replica" in text or "did not take the call" in text or "Too many calls" in text:
        return f"the fleet at {address} is running, but one of its services is not available"
    return f"no server answers at {address}; check that it is running"


def _about_tls(text: str, address: str, *, secure: bool) -> str | None:
    """Return the remedy for a TLS mismatch; None: TLS is not the cause."""
    if any(part in text for part in _MISTRUSTED):
        return (
            f"the certificate of the server at {address} is not trusted; pass the file of its"
            " authority (tls= or --ca), and use the host name that the certificate contains"
        )
    if "WRONG_VERSION_NUMBER" in text or "Cannot check peer" in text:
        return f"the server at {address} does not use TLS; connect without it"
    was_closed = any(part in text for part in _CLOSED)
    was_refused = was_closed and "failed to connect" in text
    if secure and (was_refused or "handshake" in text.lower() or "SSL" in text):
        return (
            f"the TLS handshake with {address} failed; the server may require a client certificate"
            " (certificate= or --cert and --key-file)"
        )
    if was_closed and not secure:
        return (
            f"{address} closed the connection; if the server uses TLS, connect with TLS"
            " (tls= or --tls)"
        )
    return None
