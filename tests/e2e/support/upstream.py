"""An application that keeps the raw bytes of every request it receives, and answers as it is told.

Threads, one per connection; knows just enough of HTTP to find where a request ends.
"""

import socket
import threading
import time

from . import settings
from .case import Failure, shown


class Received:
    """One request as it came: `raw` is every byte of it."""

    def __init__(self, head, body):
        self.head = head
        self.body = body
        self.raw = head + b"\r\n\r\n" + body
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.headers = []
        for line in lines[1:]:
            name, value = line.split(":", 1)
            self.headers.append((name, value.strip()))

    def values(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name):
        values = self.values(name)
        return values[0] if values else None

    def names(self):
        return [name.lower() for name, _ in self.headers]


def default_answer(_request):
    body = b"<p>Merci</p>\n"
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (
        len(body),
        body,
    )


class Upstream:
    """`answer`: takes a Received and gives the bytes to send, or None to close without a word.

    `port`: where to listen, any free one by default; `path`: a Unix socket instead; `tls`: an ssl.SSLContext; `forget`: keeps
    nothing of what it receives, for loads whose requests would fill the memory.
    """

    def __init__(self, answer=default_answer, port=0, path=None, tls=None, forget=False):
        self.answer, self.forget = answer, forget
        self.requests = []
        self.broken = []  # heads and what came of bodies that never came to their end
        self.history = []  # every request ever, whatever clear() forgets
        self.stray = b""
        self.connections = 0
        self._lock = threading.Lock()
        self.path, self._tls = path, tls
        if path:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.bind(path)
            self._socket.listen(256)
            self.port = None
        else:
            self._socket = socket.create_server(("127.0.0.1", port), backlog=256)
            self.port = self._socket.getsockname()[1]
        self._open = set()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        if self.path:
            return f"unix:{self.path}"
        return f"http{'s' if self._tls else ''}://127.0.0.1:{self.port}"

    def close(self):
        # A listening socket must be shut down first: closing alone leaves accept() waiting.
        for one in [self._socket, *list(self._open)]:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        buffer = b""
        try:
            if not self.path:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._open.add(connection)
            while True:
                while b"\r\n\r\n" not in buffer:
                    data = connection.recv(65536)
                    if not data:
                        return
                    buffer += data
                head, buffer = buffer.split(b"\r\n\r\n", 1)
                # The gateway frames by length, and streamed bodies by chunks; anything else is kept as a
                # body-less request, and the case that looks at it fails.
                length = 0
                for line in head.split(b"\r\n")[1:]:
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":", 1)[1])
                if b"\r\ntransfer-encoding: chunked" in head.lower():
                    body, buffer = self._chunks(connection, head, buffer)
                else:
                    while len(buffer) < length:
                        data = self._receive(connection, head, buffer)
                        buffer += data
                    body, buffer = buffer[:length], buffer[length:]
                received = Received(head, body)
                if not self.forget:
                    with self._lock:
                        self.requests.append(received)
                        self.history.append(received.raw)
                answer = self.answer(received)
                if answer is None:
                    return
                connection.sendall(answer)
                if (received.header("Connection") or "").lower() == "close":
                    return
        except OSError:
            pass
        finally:
            with self._lock:
                self.stray += buffer
                self._open.discard(connection)
            connection.close()

    def _receive(self, connection, head, so_far):
        try:
            data = connection.recv(65536)
        except OSError:
            data = b""
        if not data:
            with self._lock:
                self.broken.append((head, bytes(so_far)))
            raise ConnectionResetError
        return data

    def _chunks(self, connection, head, buffer):
        body = bytearray()
        while True:
            while b"\r\n" not in buffer:
                buffer += self._receive(connection, head, body)
            line, buffer = buffer.split(b"\r\n", 1)
            size = int(line, 16)
            while len(buffer) < size + 2:
                buffer += self._receive(connection, head, body)
            if buffer[size : size + 2] != b"\r\n":
                raise Failure("a chunk does not end in CRLF")
            body += buffer[:size]
            buffer = buffer[size + 2 :]
            if size == 0:
                return bytes(body), buffer

    def clear(self):
        with self._lock:
            self.requests.clear()

    def count(self):
        with self._lock:
            return len(self.requests)

    def last(self, count=1):
        """The last request, of exactly `count` since the last clear()."""
        deadline = time.monotonic() + 10 * settings.PATIENCE
        while self.count() < count and time.monotonic() < deadline:
            time.sleep(0.01)
        with self._lock:
            if len(self.requests) != count:
                raise Failure(
                    f"the upstream received {len(self.requests)} requests, not {count}: "
                    + shown([r.raw for r in self.requests])
                )
            return self.requests[-1]

    def all_bytes(self):
        """Everything that ever arrived."""
        with self._lock:
            return b"".join(self.history) + self.stray
