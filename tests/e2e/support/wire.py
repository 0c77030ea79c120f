"""A raw HTTP/1.1 client: sends exactly the bytes it is given and reads answers by their framing.

The bodies of forms are built here as well, so that the cases see every byte that leaves.
"""

import json
import socket
import time
import urllib.parse

from . import settings
from .case import Failure, shown


class Answer:
    """One response: status, headers (list of pairs, names as sent) and the body without its framing."""

    def __init__(self, status, headers, body, raw_head):
        self.status = status
        self.headers = headers
        self.body = body
        self.raw_head = raw_head

    def header(self, name):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[0] if values else None

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            raise Failure(f"not JSON: {shown(self.body)}") from None

    def __repr__(self):
        return f"<{self.status} {shown(self.body, 300)}>"


class Closed(Exception):
    """The other side closed where an answer was due."""


class Wire:
    """One client connection. `timeout` bounds every single wait, in seconds.

    `tls`: an ssl.SSLContext, the server's name, and a session of that context to be resumed where there is one.
    """

    def __init__(self, address, timeout=20, tls=None, source=None):
        bound = (source, 0) if source else None
        self.socket = socket.create_connection(address, timeout=timeout, source_address=bound)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            context, name, *session = tls
            self.socket = context.wrap_socket(self.socket, server_hostname=name, session=session[0] if session else None)
        self.buffer = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def send_slowly(self, data, pause=0.0, step=1):
        for at in range(0, len(data), step):
            self.send(data[at : at + step])
            if pause:
                time.sleep(pause)

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            raise Closed("connection reset") from None
        if not data:
            raise Closed(f"closed after {len(self.buffer)} bytes: {bytes(self.buffer[:80])!r}")
        self.buffer += data

    def _until(self, mark):
        while mark not in self.buffer:
            self._more()
        at = self.buffer.index(mark)
        head = bytes(self.buffer[:at])
        del self.buffer[: at + len(mark)]
        return head

    def _take(self, size):
        while len(self.buffer) < size:
            self._more()
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def _chunked(self):
        body = b""
        while True:
            size = int(self._until(b"\r\n"), 16)
            if size == 0:
                if self._until(b"\r\n") != b"":
                    raise Failure("the gateway sent a trailer")
                return body
            body += self._take(size)
            if self._take(2) != b"\r\n":
                raise Failure("a chunk does not end in CRLF")

    def answer(self, to_head=False, interim=False):
        """The next final answer; with `interim` also a 1xx one."""
        while True:
            head = self._until(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ", 2)[1])
            headers = []
            for line in lines[1:]:
                name, value = line.split(":", 1)
                headers.append((name, value.strip()))
            if 100 <= status < 200 and not interim:
                continue
            break
        found = {name.lower(): value for name, value in headers}
        if to_head or status in (204, 304) or status < 200:
            body = b""
        elif "chunked" in found.get("transfer-encoding", ""):
            body = self._chunked()
        elif "content-length" in found:
            body = self._take(int(found["content-length"]))
        else:
            body = self.rest()
        return Answer(status, headers, body, head)

    def rest(self):
        """Everything up to the end of the connection."""
        try:
            while True:
                self._more()
        except Closed:
            data = bytes(self.buffer)
            self.buffer.clear()
            return data

    def is_closed(self, within=None):
        """Whether the other side closes within so many seconds (30), without sending anything more."""
        if self.buffer:
            return False
        self.socket.settimeout(5.0 * settings.PATIENCE if within is None else within)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except (TimeoutError, socket.timeout):
            return False


def head(method, target, headers=(), host="www.example.fr"):
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def request(method, target, body=b"", content_type=None, headers=(), host="www.example.fr"):
    """The bytes of one request; with a body, its length is written."""
    body = body.encode() if isinstance(body, str) else body
    extra = list(headers)
    if content_type:
        extra.append(("Content-Type", content_type))
    if body or method in ("POST", "PUT", "PATCH"):
        extra.append(("Content-Length", str(len(body))))
    return head(method, target, extra, host) + body


def form(fields):
    pairs = fields.items() if isinstance(fields, dict) else fields
    return urllib.parse.urlencode(list(pairs)).encode()


BOUNDARY = "----formdata-e2e-7d91ab"


def multipart(fields, boundary=BOUNDARY):
    pairs = fields.items() if isinstance(fields, dict) else fields
    body = b""
    for name, value in pairs:
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        body += (value if isinstance(value, bytes) else value.encode()) + b"\r\n"
    return body + f"--{boundary}--\r\n".encode()


FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def form_fields(body):
    """A form's fields as the application reads them; repeated names keep their order."""
    return urllib.parse.parse_qsl(
        body.decode(), keep_blank_values=True, strict_parsing=bool(body), max_num_fields=2000
    )


def multipart_fields(body, boundary=BOUNDARY):
    """The parts of a body without files, read by the delimiter alone."""
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if parts[0] != b"" or not parts[-1].startswith(b"--"):
        raise Failure(f"not a closed multipart body: {shown(body)}")
    fields = []
    for part in parts[1:-1]:
        part_head, value = part.split(b"\r\n\r\n", 1)
        name = part_head.split(b'name="', 1)[1].split(b'"', 1)[0]
        fields.append((name.decode(), value.decode()))
    return fields
