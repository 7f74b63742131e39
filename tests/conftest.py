"""What do all tests share?

``stack``: the whole system with the demo city, one for the session. ``start_stack``: more of them, ended after the
test.
``browser``: Chromium. A test that needs what this machine has not is left out before it runs, and the summary says so.
"""

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import chromium, drawing, services, stacks
from tests.faults import disks
from tests.faults.rows import MEASURED

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
# reads are sealed below the oldest transaction of the server: in the turn in which no other test holds one for minutes
UNDISTURBED = (
    "events/test_checking.py",
    "events/test_sealing.py",
    "events/test_bundles.py",
    "events/test_tampering.py",
    "events/test_tampering_reads.py",
)
# files that take longest begin next, so that the cores of a parallel run end together
LONGEST = (
    "faults/test_chaos.py",
    "house/test_launcher.py",
    "model/test_walk.py",
    "permissions/test_canaries_after.py",
    "permissions/test_api_cells.py",
    "permissions/test_page_cells.py",
    "house/test_outside_servers.py",
    "live/test_socket.py",
    "access/test_property.py",
    "instructions/test_walk.py",
    "api/test_races.py",
    "instructions/test_races.py",
    "input/test_every_operation.py",
    "live/test_crowd.py",
    "live/test_faults.py",
    # those that need a whole system, in their own turn
    "browser/test_everyone_data.py",
    "browser/test_everyone.py",
    "browser/test_loop.py",
    "browser/test_faults.py",
    "browser/test_wall.py",
)
_left_out: dict[str, list[str]] = {}


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Give this process a database of its own, so that runs may go on beside each other."""
    with django_db_blocker.unblock():
        services.make_database()
    yield
    with django_db_blocker.unblock():
        services.drop_database()


@pytest.fixture(scope="session")
def stack() -> Iterator[stacks.System]:
    """Return the whole system, running, with the demo city; shared, so leave it as you found it."""
    system = stacks.start()
    yield system
    stacks.end(system)


@pytest.fixture(autouse=True, scope="session")
def _no_outer_watch() -> None:
    """A process under test has neither workers nor a backup: its watchdog looks at deadlines alone."""
    from coordination.deadlines import watchdog

    watchdog.use([])


@pytest.fixture
def start_stack() -> Iterator[Callable[..., stacks.System]]:
    """Return a function that starts a system of the test's own (see ``tests.stacks.start``)."""
    started: list[stacks.System] = []

    def one(**options: Any) -> stacks.System:
        system = stacks.start(f"-{len(started)}", **options)
        started.append(system)
        return system

    yield one
    for system in started:
        stacks.end(system)


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Return a function that says what was measured; the table of fault rows shows it."""

    def say(text: str) -> None:
        record_property(MEASURED, text)
        print(text)

    return say


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return a Chromium, one for the session."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium.program(), args=chromium.arguments())
        # Playwright keeps a loop in this thread, in which nothing of ours runs: tests after it may ask the database
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        yield running
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        running.close()


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None]:
    """Leave out what this machine cannot run; mark what needs whole systems, and put it last.

    Markers come before anybody chooses by them, the order after everybody else has put theirs.
    """
    kept, dropped = [], []
    whole = {"stack", "browser"}
    has_browser = bool(chromium.program())
    has_disks = any(item.get_closest_marker("mounts") for item in items) and disks.may_mount()
    for item in items:
        needs = [
            reason
            for marker, here, reason in (
                ("browser", has_browser, "no Chromium"),
                ("mounts", has_disks, "no right to mount a disk"),
                ("shared_data", SHARED_DATA.is_dir(), "no shared data beside the repository"),
            )
            if item.get_closest_marker(marker) and not here
        ]
        for reason in needs:
            _left_out.setdefault(reason, []).append(item.nodeid)
        (dropped if needs else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
    for item in kept:
        if whole & set(getattr(item, "fixturenames", ())) or _name(item.path) in UNDISTURBED:
            item.add_marker("whole_system")
    items[:] = kept
    yield
    items.sort(key=lambda item: (item.get_closest_marker("whole_system") is not None, _turn(item.path)))


def _turn(path: Path) -> int:
    """Return when a file begins: the longest first, then the others as they were found."""
    return LONGEST.index(_name(path)) if _name(path) in LONGEST else len(LONGEST)


def _name(path: Path) -> str:
    return path.relative_to(Path(__file__).parent).as_posix()


def pytest_report_header() -> str:
    """Say how much of what grows without end is tried, and by which seed."""
    return f"cells of permissions: {'all' if drawing.whole() else f'MUSTER_SEED={drawing.seed()}'}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was left out, and why."""
    for reason, names in _left_out.items():
        terminalreporter.section(f"left out: {reason}", yellow=True, bold=True)
        files = sorted({name.split("::")[0] for name in names})
        terminalreporter.write_line(f"{len(names)} tests in {', '.join(files)}")


@pytest.fixture(autouse=True, scope="session")
def _kept_questions_compared() -> None:
    """Each question that is kept is built anew as well, and must be the same: by one worker of a parallel run, whatever
    files come to it, since that costs a tenth of the time; by all where everything is tried."""
    from coordination.events import kept

    kept.CHECK = drawing.whole() or os.environ.get("PYTEST_XDIST_WORKER", "gw0") == "gw0"
