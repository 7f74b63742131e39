"""Does a start wait for the door that an earlier run is still closing, and no longer; is it our own that opened?"""

from __future__ import annotations

import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from coordination.config.launcher.demo import reset
from coordination.config.launcher.folders import private
from coordination.config.launcher.stack import is_free
from coordination.config.launcher.supervise import NotStarted, Program
from tests import stacks


def test_a_port_that_is_being_left_is_waited_for() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    assert not is_free(port, 0.0)
    began = time.monotonic()
    assert not is_free(port, 0.3)
    assert time.monotonic() - began < 5
    threading.Timer(0.4, listener.close).start()
    assert is_free(port, 10.0)
    assert is_free(port, 0.0)


class Well(BaseHTTPRequestHandler):
    """Somebody else's page that says yes to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_anothers_yes_on_our_port_is_not_ours() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Well) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        instance = stacks.Instance(stacks.FOLDER / f"test-{os.getpid()}-port")
        system = stacks.System(instance, port=other.server_port, parts=["web"])
        private(instance.folder)
        private(instance.run)
        system.supervisor.start([Program("web", ["/bin/sleep", "60"])])
        try:
            system.supervisor.launch("web")
            assert system.web_answers() == ""
            with pytest.raises(NotStarted, match=f"{other.server_port} is taken by another program"):
                system.wait_ready(seconds=1)
        finally:
            system.supervisor.stop("web")
            system.supervisor.shutdown()
            reset(instance)
            other.shutdown()
