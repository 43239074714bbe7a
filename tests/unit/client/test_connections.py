"""What is told where no connection comes about, or where another server answers: one line each."""

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
    """The address of a server that has no method."""
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
def told(using):
    """``told(kind, address, **options)``: the one line that a first call is told."""

    def tell(kind, address, **options):
        with pytest.raises(kind) as caught:
            using(address, lambda client: client.pipelines(), timeout_s=LIMIT_S, **options)
        (line,) = str(caught.value).splitlines()
        assert line.startswith("ListAvailablePipelines: ")
        return line

    return tell


def test_a_plain_client_on_a_port_with_tls(told, secure_address):
    line = told(cuvis_fleet.Unavailable, secure_address)
    assert f"{secure_address} closed the connection; if the server uses TLS" in line
    assert "connect with TLS (tls= or --tls)" in line


def test_a_client_with_tls_on_a_plain_port(told, address):
    line = told(cuvis_fleet.Unavailable, address, tls=True)
    assert f"the server at {address} does not use TLS; connect without it" in line


def test_an_authority_that_is_another(told, secure_address, tmp_path):
    line = told(cuvis_fleet.Unavailable, secure_address, tls=Authority(tmp_path / "other").path)
    assert f"the certificate of the server at {secure_address} is not trusted" in line
    assert "pass the file of its authority (tls= or --ca)" in line


def test_a_server_that_goes_by_another_name(told, authority, pair):
    files = [(pair.key.read_bytes(), pair.certificate.read_bytes())]
    with grpc_server(grpc.ssl_server_credentials(files), host="127.0.0.2") as address:
        line = told(cuvis_fleet.Unavailable, address, tls=authority.path)
    assert f"the certificate of the server at {address} is not trusted" in line
    assert "use the host name that the certificate contains" in line


def test_a_server_that_wants_a_certificate(told, authority, pair):
    credentials = grpc.ssl_server_credentials(
        [(pair.key.read_bytes(), pair.certificate.read_bytes())],
        root_certificates=authority.path.read_bytes(),
        require_client_auth=True,
    )
    with grpc_server(credentials) as address:
        line = told(cuvis_fleet.Unavailable, address, tls=authority.path)
    assert "may require a client certificate (certificate= or --cert and --key-file)" in line


def test_a_port_where_nobody_listens(told):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    line = told(cuvis_fleet.Unavailable, address)
    assert f"no server answers at {address}; check that it is running" in line


def test_the_port_of_something_else(told):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"127.0.0.1:{server.server_port}"
        line = told(cuvis_fleet.Unavailable, address)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert f"{address} is not a server of this kind; check the port" in line


def test_a_server_without_the_method(told):
    with grpc_server() as address:
        line = told(cuvis_fleet.Unimplemented, address)
    assert f"the server at {address} does not implement ListAvailablePipelines" in line
    assert "an older release or another kind of server" in line


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED]
)
def test_a_wrong_key(told, double, address, code):
    double.answers["ListAvailablePipelines"] = (code, "The API key is not known.")
    line = told(cuvis_fleet.NotAllowed, address, key="wrong")
    assert "The API key is not known." in line
    assert "wrong" not in line
    (sent,) = double.metadata["ListAvailablePipelines"]
    assert sent["authorization"] == "Bearer wrong"


def test_an_unknown_pipeline_is_told_with_the_nearest(using, address, double):
    double.answers["GetPipelineInfo"] = (grpc.StatusCode.NOT_FOUND, "There is no rx_statistics.")
    known = [pb.PipelineInfo(pipeline_path=path) for path in ("rx_statistical.yaml", "pca.yaml")]
    double.answers["ListAvailablePipelines"] = pb.ListAvailablePipelinesResponse(pipelines=known)
    with pytest.raises(cuvis_fleet.NotFound) as caught:
        using(address, lambda client: client.pipeline("rx_statistics"))
    assert caught.value.text == "There is no rx_statistics. Nearest: rx_statistical.yaml."
    assert caught.value.method == "GetPipelineInfo"


def test_a_session_is_opened_taken_up_and_left_open(using, address, double):
    sessions = []
    using(address, lambda client: client.open_session())
    using(address, lambda client: sessions.append(client.attach("another")))
    assert [session.id for session in sessions] == ["another"]
    assert [method for method, _ in double.received] == ["CreateSession"]
