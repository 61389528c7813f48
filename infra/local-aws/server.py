"""A local AWS for the tests and the demo: EC2, EBS, EventBridge, S3, SQS and STS on 127.0.0.1.

    python server.py --port 0 [--until-stdin-closes]

It prints `listening on http://127.0.0.1:PORT` once it can answer. The access key id of a request, a
12-digit number, is its account, so that tests that run at once share a server without meeting.
"""

import argparse
import functools
import os
import signal
import socket
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn

from botocore.loaders import JSONFileLoader

# moto reads these when it is imported. Its stock images would bring 1,301 snapshots of strangers along.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
# An ambient account id would override the one in the request.
os.environ.pop("MOTO_ACCOUNT_ID", None)
# It also asks fresh sessions for the list of regions, and each would parse the same megabytes of JSON again.
load_once = functools.cache(JSONFileLoader().load_file)
JSONFileLoader.load_file = lambda _, path: load_once(path)

import control  # noqa: E402
import gateway  # noqa: E402
from chunked import read_body  # noqa: E402
from gateway import Answer, Request  # noqa: E402


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Clients keep connections; with Nagle on, a delayed ACK costs 40 ms a call.
    disable_nagle_algorithm = True

    def answer(self) -> None:
        body = read_body(self.headers, self.rfile)
        if body is None:
            # The rest of a call that a killed process had begun to send: it never arrived.
            return self.hang_up()
        path, _, query = self.path.partition("?")
        request = Request(self.command, path, query, self.headers, body)
        try:
            handle = control.handle if path.startswith("/_local/") else gateway.handle
            answer = handle(request)
        except Exception:
            traceback.print_exc()
            answer = Answer(500, "text/plain", traceback.format_exc().encode())
        if answer is None:
            self.hang_up()
        else:
            self.send(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def send(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        self.send_header("Date", answer.date or self.date_time_string())
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body) if answer.length is None else answer.length))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self._headers_buffer.append(b"\r\n")
        if self.command != "HEAD":
            # One write for head and body: two small segments are what Nagle and delayed ACKs punish.
            self._headers_buffer.append(answer.body)
        self.flush_headers()

    def hang_up(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingMixIn, TCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def handle_error(self, *_: object) -> None:
        # A client that went away, a killed test for one, is no news.
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc()


def exit_now(*_: object) -> None:
    # Nothing is worth saving, and threads may be asleep in an injected delay.
    os._exit(0)


def exit_when_stdin_closes() -> None:
    while sys.stdin.buffer.read(4096):
        pass
    exit_now()


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--port", type=int, default=0, help="0 takes any free one")
    arguments.add_argument("--until-stdin-closes", action="store_true", help="exit when the parent process is gone")
    options = arguments.parse_args()

    signal.signal(signal.SIGTERM, exit_now)
    signal.signal(signal.SIGINT, exit_now)
    if options.until_stdin_closes:
        threading.Thread(target=exit_when_stdin_closes, daemon=True).start()

    server = Server(("127.0.0.1", options.port), Handler)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
