"""Which mail server does a test need? One that speaks SMTP and answers as it is told, in a thread of its own."""

from __future__ import annotations

import contextlib
import email
import email.message
import email.policy
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

#: what it says to a command (``RCPT``, ``DATA``, ``END`` after the text): a line, "" to hang up, None to go on
Say = Callable[[str, str], str | None]


@dataclass
class PostOffice:
    """What came in, and how to answer."""

    port: int = 0
    say: Say = field(default=lambda _command, _line: None)
    mails: list[email.message.EmailMessage] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class _Session(socketserver.StreamRequestHandler):
    """One connection, as RFC 5321 has it."""

    office: PostOffice

    def handle(self) -> None:
        """Greet, then answer line by line."""
        with contextlib.suppress(OSError):
            if not self._answer("HELLO", "", "220 post.test ready"):
                return
            while line := self.rfile.readline().decode().strip():
                command = line.split()[0].upper()
                self.office.asked.append(line)
                if command == "DATA":
                    if not self._take(line):
                        return
                elif not self._answer(command, line, "221 bye" if command == "QUIT" else "250 post.test"):
                    return
                if command == "QUIT":
                    return

    def _answer(self, command: str, line: str, usual: str) -> bool:
        said = self.office.say(command, line)
        if said == "":
            return False
        self.wfile.write(f"{said or usual}\r\n".encode())
        return True

    def _take(self, line: str) -> bool:
        said = self.office.say("DATA", line)
        if said is not None:
            self.wfile.write(f"{said}\r\n".encode())
            return bool(said)
        self.wfile.write(b"354 go on\r\n")
        text = b""
        while not text.endswith(b"\r\n.\r\n"):
            text += self.rfile.readline()
        said = self.office.say("END", "")
        if said is None:
            self.office.mails.append(email.message_from_bytes(text[:-3], policy=email.policy.default))  # type: ignore[arg-type]
        return self._answer("END", "", "250 taken")


@contextlib.contextmanager
def post_office(say: Say | None = None) -> Iterator[PostOffice]:
    """A mail server on a free port of loopback."""
    office = PostOffice()
    if say is not None:
        office.say = say

    class Session(_Session):
        pass

    Session.office = office
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        server.daemon_threads = True
        office.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield office
        finally:
            server.shutdown()
