"""WordPress itself, as Debian ships it: a copy of its files, a MariaDB and PHP's own server, all of one folder.

Everything listens on loopback or on a socket in the folder, and runs as an ordinary user where the caller is root.
"""

import contextlib
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
FILES = pathlib.Path("/usr/share/wordpress")
PROGRAMS = ("php", "mariadbd", "mariadb-install-db", "mariadb", "mariadb-dump")

CONFIG = """<?php
define('DB_NAME', 'wordpress');
define('DB_USER', 'wordpress');
define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:%(socket)s');
define('DB_CHARSET', 'utf8mb4');
define('WP_HOME', 'http://' . $_SERVER['HTTP_HOST']);
define('WP_SITEURL', WP_HOME);
define('DISABLE_WP_CRON', true);
define('WP_HTTP_BLOCK_EXTERNAL', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
define('WP_DEBUG', false);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""


def missing():
    """What has to be installed first."""
    found = [name for name in PROGRAMS if shutil.which(name) is None]
    found += [] if FILES.is_dir() else ["wordpress"]
    # Without a theme every page is empty.
    return found + ([] if list(FILES.glob("wp-content/themes/*/style.css")) else ["a theme of WordPress"])


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class WordPress:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="paravent-wordpress-")
        self.processes = []
        # MariaDB refuses to be root, and PHP need not be.
        self.user = "nobody" if os.geteuid() == 0 else None
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def _start(self):
        self.socket = os.path.join(self.folder, "db.sock")
        self.site = os.path.join(self.folder, "site")
        data = os.path.join(self.folder, "data")
        shutil.copytree(FILES, self.site, symlinks=False, ignore_dangling_symlinks=True)
        config = pathlib.Path(self.site, "wp-config.php")
        config.unlink(missing_ok=True)
        config.write_text(CONFIG % {"socket": self.socket}, encoding="ascii")
        plugins = pathlib.Path(self.site, "wp-content/plugins")
        plugins.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "wordpress/contact-form.php", plugins)
        os.mkdir(data)
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chmod(self.folder, 0o755)
            for path, folders, files in os.walk(self.folder):
                for name in [path, *(os.path.join(path, one) for one in folders + files)]:
                    os.chown(name, entry.pw_uid, entry.pw_gid)
        self._run("mariadb-install-db", "--no-defaults", f"--datadir={data}", "--skip-test-db",
                  "--auth-root-authentication-method=normal")  # fmt: skip
        self._launch("mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={self.socket}", "--skip-networking",
                     f"--pid-file={self.folder}/db.pid", "--innodb-buffer-pool-size=32M")  # fmt: skip
        self._wait(lambda: self.query("SELECT 1") == "1\n", "the database")
        self.query("CREATE DATABASE wordpress; CREATE USER wordpress@localhost; "
                   "GRANT ALL ON wordpress.* TO wordpress@localhost")  # fmt: skip
        self._run("php", str(HERE / "wordpress/install.php"), self.site)
        self.port = free_port()
        self._launch("php", "-S", f"127.0.0.1:{self.port}", "-t", self.site)
        self._wait(self._listens, "the site")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def query(self, sql, database=""):
        command = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch", "--skip-column-names"]
        done = subprocess.run([*command, *([database] if database else [])], input=sql, capture_output=True, text=True,
                              timeout=60, check=False)  # fmt: skip
        if done.returncode != 0:
            raise AssertionError(f"the database says: {done.stderr}")
        return done.stdout

    def dump(self):
        """Everything that the database holds, as text."""
        command = ["mariadb-dump", "--no-defaults", f"--socket={self.socket}", "--user=root", "wordpress"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout

    def comments(self):
        rows = self.query("SELECT comment_author, comment_author_email, comment_author_url, comment_author_IP, "
                          "comment_agent, comment_content FROM wp_comments WHERE comment_ID > 1 ORDER BY comment_ID",
                          "wordpress")  # fmt: skip
        names = ("author", "email", "url", "address", "agent", "content")
        return [dict(zip(names, line.split("\t"))) for line in rows.splitlines()]

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
            if process.poll() is None:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _environment(self):
        kept = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        return {**kept, "HOME": self.folder, "TMPDIR": self.folder}

    def _run(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, user=self.user,
                              env=self._environment(), cwd=self.folder)  # fmt: skip
        if done.returncode != 0:
            raise AssertionError(f"{command[0]}: {(done.stdout + done.stderr)[-2000:]}")

    def _launch(self, *command):
        with open(os.path.join(self.folder, f"{command[0]}.log"), "wb") as log:
            self.processes.append(
                subprocess.Popen(command, stdout=log, stderr=log, user=self.user, env=self._environment(),
                                 cwd=self.folder)
            )  # fmt: skip

    def _listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def _wait(self, ready, what):
        for _ in range(300):
            with contextlib.suppress(AssertionError):
                if ready():
                    return
            time.sleep(0.1)
        raise AssertionError(f"{what} does not start")
