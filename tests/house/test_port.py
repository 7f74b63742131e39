"""Does a start wait for the door that an earlier run is still closing, and no longer?"""

from __future__ import annotations

import socket
import threading
import time

from coordination.config.launcher.stack import is_free


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
