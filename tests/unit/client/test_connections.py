"""Failed connections and wrong servers: each is reported in one line."""

import contextlib
import http.server
import socket
import threading
from concurrent import futures

import grpc
import pytest

import cuvis_fleet
from fleet_proto.cuvis_ai.v1 import cuvis_ai_pb2 as pb
from tests.support.certificates import Authority

LIMIT_S = 10


@contextlib.contextmanager
def grpc_server(credentials=None, host="127.0.0.1"):
    """The address of a server that implements no methods."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
    if credentials is None:
        port = server.add_insecure_port(f"{host}:0")
    else:
        port = server.add_secure_port(f"{host}:0", credentials)
    server.start()
    try:
        yield f"{host}:{port}"
    finally:
        server.stop(grace=None).wait()


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "ours")


@pytest.fixture
def pair(authority):
    return authority.server()


@pytest.fixture
def secure_address(pair):
    files = [(pair.key.read_bytes(), pair.certificate.read_bytes())]
    with grpc_server(grpc.ssl_server_credentials(files)) as address:
        yield address


@pytest.fixture
def error_of(using):
    """``error_of(kind, address, **options)``: the text of the error that a first call raises."""

    def error_of(kind, address, **options):
        with pytest.raises(kind) as caught:
            using(address, lambda client: client.pipelines(), timeout_s=LIMIT_S, **options)
        (line,) = str(caught.value).splitlines()
        assert line.startswith("ListAvailablePipelines: ")
        return line

    return error_of


def test_a_plain_client_on_a_port_with_tls(error_of, secure_address):
    line = error_of(cuvis_fleet.Unavailable, secure_address)
    assert f"{secure_address} closed the connection; if the server uses TLS" in line
    assert "connect with TLS (tls= or --tls)" in line


def test_a_client_with_tls_on_a_plain_port(error_of, address):
    line = error_of(cuvis_fleet.Unavailable, address, tls=True)
    assert f"the server at {address} does not use TLS; connect without it" in line


def test_an_untrusted_authority(error_of, secure_address, tmp_path):
    line = error_of(cuvis_fleet.Unavailable, secure_address, tls=Authority(tmp_path / "other").path)
    assert f"the certificate of the server at {secure_address} is not trusted" in line
    assert "pass the file of its authority (tls= or --ca)" in line


def test_a_certificate_for_another_host_name(error_of, authority, pair):
    files = [(pair.key.read_bytes(), pair.certificate.read_bytes())]
    with grpc_server(grpc.ssl_server_credentials(files), host="127.0.0.2") as address:
        line = error_of(cuvis_fleet.Unavailable, address, tls=authority.path)
    assert f"the certificate of the server at {address} is not trusted" in line
    assert "use the host name that the certificate contains" in line


def test_a_server_that_requires_a_client_certificate(error_of, authority, pair):
    credentials = grpc.ssl_server_credentials(
        [(pair.key.read_bytes(), pair.certificate.read_bytes())],
        root_certificates=authority.path.read_bytes(),
        require_client_auth=True,
    )
    with grpc_server(credentials) as address:
        line = error_of(cuvis_fleet.Unavailable, address, tls=authority.path)
    assert "may require a client certificate (certificate= or --cert and --key-file)" in line


def test_a_closed_port(error_of):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    line = error_of(cuvis_fleet.Unavailable, address)
    assert f"no server answers at {address}; check that it is running" in line


def test_the_port_of_an_http_server(error_of):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"127.0.0.1:{server.server_port}"
        line = error_of(cuvis_fleet.Unavailable, address)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert f"{address} is not a server of this kind; check the port" in line


def test_a_server_without_the_method(error_of):
    with grpc_server() as address:
        line = error_of(cuvis_fleet.Unimplemented, address)
    assert f"the server at {address} does not implement ListAvailablePipelines" in line
    assert "an older release or another kind of server" in line


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED]
)
def test_a_wrong_key(error_of, double, address, code):
    double.answers["ListAvailablePipelines"] = (code, "The API key is not known.")
    line = error_of(cuvis_fleet.NotAllowed, address, key="wrong")
    assert "The API key is not known." in line
    assert "wrong" not in line
    (sent,) = double.metadata["ListAvailablePipelines"]
    assert sent["authorization"] == "Bearer wrong"


def test_the_error_for_an_unknown_pipeline_lists_the_closest_names(using, address, double):
    double.answers["GetPipelineInfo"] = (grpc.StatusCode.NOT_FOUND, "There is no rx_statistics.")
    known = [pb.PipelineInfo(pipeline_path=path) for path in ("rx_statistical.yaml", "pca.yaml")]
    double.answers["ListAvailablePipelines"] = pb.ListAvailablePipelinesResponse(pipelines=known)
    with pytest.raises(cuvis_fleet.NotFound) as caught:
        using(address, lambda client: client.pipeline("rx_statistics"))
    assert caught.value.text == "There is no rx_statistics. Nearest: rx_statistical.yaml."
    assert caught.value.method == "GetPipelineInfo"


def test_open_and_attached_sessions_are_not_closed(using, address, double):
    sessions = []
    using(address, lambda client: client.open_session())
    using(address, lambda client: sessions.append(client.attach("another")))
    assert [session.id for session in sessions] == ["another"]
    assert [method for method, _ in double.received] == ["CreateSession"]
