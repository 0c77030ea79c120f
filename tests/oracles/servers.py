"""The readers that the gateway must agree with: nginx, haproxy, Apache, lighttpd and h2o from Debian.

Each runs on loopback as a reverse proxy in front of a recorder of its own, so that what it understood is what its
recorder received. Limits are set wider than the gateway's: a reader that is merely smaller says nothing. Nor does one that
leaves out headers whose names it does not like, as nginx does unless told otherwise.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time


class Recorder:
    """Keeps (method, target, host, body, every byte, headers) of each request that arrives; answers each with 200. `broken`: why it could
    not read what came."""

    def __init__(self):
        self.requests = []
        self.broken = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def take(self):
        with self.lock:
            seen, self.requests = self.requests, []
            return seen

    def take_broken(self):
        with self.lock:
            why, self.broken = self.broken, []
            return why

    def _serve(self, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = bytearray()
        raw = bytearray()

        def more():
            data = connection.recv(65536)
            if not data:
                raise EOFError
            buffer.extend(data)

        def until(mark):
            while mark not in buffer:
                more()
            at = buffer.index(mark)
            taken = bytes(buffer[:at])
            raw.extend(buffer[: at + len(mark)])
            del buffer[: at + len(mark)]
            return taken

        def count(size):
            while len(buffer) < size:
                more()
            taken = bytes(buffer[:size])
            raw.extend(taken)
            del buffer[:size]
            return taken

        try:
            while True:
                lines = until(b"\r\n\r\n").split(b"\r\n")
                method, target, _ = lines[0].split(b" ", 2)
                headers = {}
                for line in lines[1:]:
                    name, value = line.split(b":", 1)
                    headers.setdefault(name.lower(), []).append(value.strip())
                body = b""
                if b"transfer-encoding" in headers:
                    while True:
                        size = int(until(b"\r\n").split(b";")[0], 16)
                        if size == 0:
                            while until(b"\r\n"):
                                pass
                            break
                        body += count(size)
                        count(2)
                elif b"content-length" in headers:
                    body = count(int(headers[b"content-length"][0]))
                host = headers.get(b"host", [b""])[0]
                with self.lock:
                    self.requests.append((method, target, host, body, bytes(raw), headers))
                raw.clear()
                content = b"" if method == b"HEAD" else b"ok"
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + content)
                if b"close" in headers.get(b"connection", []):
                    return
        except (EOFError, OSError):
            pass
        except Exception as error:  # noqa: BLE001 - a reader that sends nonsense is a finding
            with self.lock:
                self.broken.append(repr(error))
        finally:
            connection.close()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def nginx(port, to, folder):
    return (
        ["nginx", "-p", folder, "-c", f"{folder}/nginx.conf", "-g", "daemon off;"],
        f"""{folder}/nginx.conf""",
        f"""
worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log crit;
events {{ worker_connections 512; }}
http {{
  access_log off; client_max_body_size 64m; large_client_header_buffers 8 64k; client_body_buffer_size 1m;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 100000; server_tokens off;
  ignore_invalid_headers off;
  server {{ listen 127.0.0.1:{port} default_server; server_name _;
    location / {{ proxy_pass http://127.0.0.1:{to}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; }} }}
}}""",
    )


def haproxy(port, to, folder):
    return (
        ["haproxy", "-db", "-f", f"{folder}/haproxy.cfg"],
        f"{folder}/haproxy.cfg",
        f"""
global
  tune.bufsize 131072
  tune.maxrewrite 8192
  tune.http.maxhdr 500
defaults
  mode http
  timeout client 20s
  timeout server 20s
  timeout connect 5s
  option http-keep-alive
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  server s 127.0.0.1:{to}
""",
    )


def apache(port, to, folder):
    modules = "/usr/lib/apache2/modules"
    loads = "\n".join(
        f"LoadModule {name}_module {modules}/mod_{name}.so"
        for name in ("mpm_event", "authz_core", "proxy", "proxy_http")
    )
    return (
        ["apache2", "-X", "-d", folder, "-f", f"{folder}/apache.conf"],
        f"{folder}/apache.conf",
        f"""
{loads}
ServerName oracle
Listen 127.0.0.1:{port}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
LogLevel crit
DefaultRuntimeDir {folder}
KeepAlive On
MaxKeepAliveRequests 0
LimitRequestLine 65536
LimitRequestFieldSize 65536
LimitRequestFields 500
AllowEncodedSlashes NoDecode
ProxyPreserveHost On
<Location "/">
  ProxyPass "http://127.0.0.1:{to}/" nocanon
</Location>
""",
    )


def lighttpd(port, to, folder):
    return (
        ["lighttpd", "-D", "-f", f"{folder}/lighttpd.conf"],
        f"{folder}/lighttpd.conf",
        f"""
server.modules = ( "mod_proxy" )
server.document-root = "{folder}"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "{folder}/error.log"
server.max-request-field-size = 65536
server.max-keep-alive-requests = 100000
server.max-request-size = 65536
# Line breaks in a query are text like any other, and container networks have underscores in names: refusing
# them is a choice, not a reading.
server.http-parseopts = (
  "url-ctrls-reject" => "disable", "url-normalize" => "disable" )
server.http-parseopt-host-strict = "disable"
server.http-parseopt-host-normalize = "disable"
proxy.server = ( "" => ( ( "host" => "127.0.0.1", "port" => {to} ) ) )
""",
    )


def h2o(port, to, folder):
    return (
        ["h2o", "-c", f"{folder}/h2o.conf"],
        f"{folder}/h2o.conf",
        f"""
listen: {{ host: 127.0.0.1, port: {port} }}
num-threads: 1
error-log: {folder}/error.log
proxy.preserve-host: ON
proxy.timeout.io: 20000
hosts:
  default:
    paths:
      "/": {{ proxy.reverse.url: "http://127.0.0.1:{to}/" }}
""",
    )


KINDS = {"nginx": nginx, "haproxy": haproxy, "apache": apache, "lighttpd": lighttpd, "h2o": h2o}


class Server:
    """One reader and its recorder."""

    def __init__(self, name):
        self.name = name
        self.agreed = 0  # how often it read what the gateway read, from the client's own bytes
        self.recorder = Recorder()
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix=f"oracle-{name}-")
        os.chmod(self.folder, 0o755)
        command, path, text = KINDS[name](self.port, self.recorder.port, self.folder)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        environment = dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
        with open(f"{self.folder}/output", "wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        deadline = time.monotonic() + 15
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    with open(f"{self.folder}/output", encoding="utf-8", errors="replace") as output:
                        raise RuntimeError(f"{name} does not start: {output.read()[-600:]}") from None
                time.sleep(0.05)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
