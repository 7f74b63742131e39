"""Does this container's process do its work?

``python deploy/healthy.py web | engine | worker | beat``: 0 yes, 1 no. ``web``: it answers; ``engine``: this
very container's engine has just watched the deadlines; ``worker``: this very container's worker
does tasks; ``beat``: work is handed out.
What has not worked for a minute although all it needs is there is ended, so that the container engine starts it anew:
compose itself restarts only what ends.
"""

import os
import signal
import socket
import sys
import time
from pathlib import Path

ENGINE_SECONDS, QUEUE_SECONDS = 10, 60
PATIENCE = 60.0
BAD_SINCE = Path("/tmp/not-healthy-since")  # noqa: S108 - the container's own, in memory

YOUNG = "at > clock_timestamp() - %(seconds)s * interval '1 second'"
# each gives: does it work, and is there all it needs?
QUESTIONS = {
    "engine": f"SELECT EXISTS (SELECT FROM deadlines_engineheartbeat WHERE process LIKE %(about)s AND {YOUNG}), true",
    # another worker's sign of life proves that Redis and the beat are there
    "worker": f"SELECT bool_or(worker = %(about)s AND {YOUNG}), bool_or(worker <> %(about)s AND {YOUNG})"
              " FROM config_workercanary",
    "beat": f"SELECT bool_or({YOUNG}), false FROM config_canary",
}


def main(arguments: list[str]) -> int:
    """Look once; remember since when it is not well."""
    kind = arguments[0]
    if kind == "web":
        good, served = answers(), True
    else:
        host = socket.gethostname()
        about = {"engine": f"{host[:40]}:%", "worker": f"celery@{host}"}.get(kind, "")
        good, served = asked(QUESTIONS[kind], about, ENGINE_SECONDS if kind == "engine" else QUEUE_SECONDS)
    if good:
        BAD_SINCE.unlink(missing_ok=True)
        return 0
    if not served or not BAD_SINCE.exists():
        BAD_SINCE.touch()  # restarting helps nobody while something else is missing
    elif time.time() - BAD_SINCE.stat().st_mtime > PATIENCE:
        BAD_SINCE.unlink(missing_ok=True)
        end()
    return 1


def answers() -> bool:
    """Whether the web process says that it lives."""
    host = os.environ.get("MUSTER_HOSTS", "localhost").partition(",")[0]
    try:
        with socket.create_connection(("127.0.0.1", 8000), 3) as line:
            line.settimeout(3)
            line.sendall(f"GET /health/live HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return line.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def asked(question: str, about: str, seconds: int) -> tuple[bool, bool]:
    """What PostgreSQL says; when it says nothing, nobody can work."""
    sys.path[:0] = [os.environ.get("MUSTER_PACKAGES", ""), str(Path(__file__).resolve().parents[1])]
    import psycopg2  # noqa: PLC0415 - the web's look needs none of it

    from coordination.config.addresses import parse_database_url  # noqa: PLC0415

    address = parse_database_url(os.environ["DATABASE_URL"])
    path = os.environ.get("DATABASE_PASSWORD_FILE", "")
    password = address.password or (Path(path).read_text().strip() if path else "")
    try:
        connection = psycopg2.connect(
            host=address.host, port=address.port, user=address.user, password=password, dbname=address.name,
            connect_timeout=3, options="-c statement_timeout=3000", application_name="muster-healthy",
        )  # fmt: skip
        try:
            with connection.cursor() as cursor:
                cursor.execute(question, {"about": about, "seconds": seconds})
                good, served = cursor.fetchone()
                return bool(good), bool(served)
        finally:
            connection.close()
    except psycopg2.Error:
        return False, False


def end() -> None:
    """End the container's process: below the init process, which cannot be ended from within."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name not in {"1", str(os.getpid())}:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if fields[1] == "1":  # its parent
                print("not healthy for too long: ended", flush=True)
                os.kill(int(entry.name), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
