"""A server that records every request unchanged and sends a configured response: for plain HTTP, and, as the proxy of a
client, for the hosts of AWS. It connects to no other machine."""

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import trustme

REGIONS = {
    "us-east-1": ("amazonaws.com", "api.aws"),
    "eu-west-2": ("amazonaws.com", "api.aws"),
    "us-gov-west-1": ("amazonaws.com", "api.aws"),
    "cn-north-1": ("amazonaws.com.cn", "api.amazonwebservices.com.cn"),
}
HOSTS = [
    f"control-storage-omics{fips}.{region}.{suffix}"
    for region, suffixes in REGIONS.items()
    for suffix in suffixes
    for fips in ("", "-fips")
]


class Request:
    def __init__(self, handler, scheme, body):
        self.method, self.target, self.scheme = handler.command, handler.path, scheme
        self.headers = [(name.lower(), value) for name, value in handler.headers.items()]
        self.body = body
        self.path, _, self.query = self.target.partition("?")
        # The host that the client connected to, whatever its headers are.
        self.connected_to = getattr(handler, "connected_to", None)

    def header(self, name):
        values = [value for known, value in self.headers if known == name]
        return values[0] if values else None


def about_what_was_asked(request):
    """A response that is about the job or read set of the path, and enough of an output for each operation."""
    segments = [unquote(segment) for segment in request.path.split("/")]
    asked = segments[4] if request.method == "GET" and len(segments) > 4 else "1234567890"
    body = {"id": asked, "sequenceStoreId": "1234567890", "status": "SUBMITTED", "readSets": []}
    return 200, {"x-amzn-requestid": "request-1"}, json.dumps(body).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_CONNECT(self):
        self.connected_to = self.path
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def respond(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        scheme = "https" if hasattr(self, "connected_to") else "http"
        status, headers, body_out = self.server.keep(Request(self, scheme, body))
        self.send_response_only(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(body_out)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body_out)

    do_GET = do_POST = respond

    def log_message(self, *_):
        pass


class Capture(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.requests, self.next_response = [], (200, {}, b"{}")
        authority = trustme.CA()
        self.authority = folder / "authority.pem"
        authority.cert_pem.write_to_path(str(self.authority))
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self.tls)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def keep(self, request):
        self.requests.append(request)
        return self.next_response(request) if callable(self.next_response) else self.next_response

    def take(self):
        """The requests since the last time."""
        taken, self.requests = self.requests, []
        return taken

    def handle_error(self, request, client_address):
        """A client that hangs up is no error."""
