"""Where are PostgreSQL and Redis?

``DATABASE_URL`` and ``REDIS_URL`` decide. Without them, the private sockets of the development instance are used, which
``python -m coordination.config.launcher services`` starts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit


class BadAddress(ValueError):
    """An address that cannot be understood; the message names the variable, never the password."""


@dataclass(frozen=True)
class Database:
    """One PostgreSQL database: ``host`` may be the folder of a unix socket; ``options`` are libpq's."""

    name: str
    user: str = ""
    password: str = ""
    host: str = ""
    port: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def url(self) -> str:
        """Return this as a ``postgresql://`` URL, the socket folder as the parameter ``host``."""
        return database_url(self)


def parse_database_url(url: str) -> Database:
    """Return what ``postgresql://user:password@host:port/name?option=value`` says.

    A socket folder is given as ``?host=/folder``. Raises BadAddress for another scheme or a missing name.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise BadAddress("DATABASE_URL must begin with postgresql://")
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise BadAddress("DATABASE_URL names no database")
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    try:
        port = int(options.pop("port")) if "port" in options else parts.port
    except ValueError as error:
        raise BadAddress("DATABASE_URL: the port is not a number") from error
    return Database(
        name=name,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=host,
        port=port,
        options=options,
    )


def database_url(database: Database) -> str:
    """Return ``database`` as a URL that ``parse_database_url`` reads back."""
    from_quote = urlencode({"": database.user})[1:] if database.user else ""
    secret = urlencode({"": database.password})[1:].replace("+", "%20") if database.password else ""
    who = from_quote.replace("+", "%20") + (f":{secret}" if secret else "") + ("@" if from_quote else "")
    options = dict(database.options)
    where = database.host
    if where.startswith("/"):
        options["host"] = where
        where = ""
    if database.port:
        if where:
            where = f"{where}:{database.port}"
        else:
            options["port"] = str(database.port)
    query = f"?{urlencode(options)}" if options else ""
    return f"postgresql://{who}{where}/{database.name}{query}"
