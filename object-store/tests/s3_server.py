"""The Amazon S3 of moto, on loopback, with a bucket my-bucket. It prints its port, and ends when its input does.

Commands on the input: "faults N": from now on, N of 100 requests fail. "down" and "up": no connections are accepted.

Requests are done one after the other: moto checks a condition and writes the object in two steps.
"""

import io
import random
import socket
import sys
import threading

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

backend = DomainDispatcherApplication(create_backend_app)
lock = threading.Lock()
faults = 0


def unavailable(start_response):
    start_response("503 Service Unavailable", [("content-length", "0")])
    return [b""]


def respond(environ, start_response):
    with lock:
        return [b"".join(backend(environ, start_response))]


def application(environ, start_response):
    # A client that is paused in the middle of a request must not keep the lock.
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    if random.randrange(100) >= faults:
        return respond(environ, start_response)
    kind = random.choice(["unavailable", "cut before", "error after", "cut after"])
    if kind.endswith("after"):
        respond(environ, lambda *_: None)
    if kind.startswith("cut"):
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return unavailable(start_response)


class Handler(WSGIRequestHandler):
    def log(self, *_):
        pass


def serve(port):
    server = make_server("127.0.0.1", port, application, threaded=True, request_handler=Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


server = serve(0)
port = server.port
print(port, flush=True)
for line in sys.stdin:
    command, *arguments = line.split()
    if command == "faults":
        faults = int(arguments[0])
    elif command == "down":
        server.shutdown()
        server.server_close()
    elif command == "up":
        server = serve(port)
    print("done", flush=True)
