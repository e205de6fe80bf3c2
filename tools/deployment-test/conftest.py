"""One emulator and one deployment for all tests. Files run in the order of `testpaths`: the last destroys."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment import REPOSITORY, Deployment
from emulator import Emulator
from stack import Stack

KEPT = REPOSITORY / ".local/deployment-test/last-run"
PROVIDERS = REPOSITORY / ".local/terraform-providers"
times: dict[str, float] = {}


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    # Loopback is never behind a proxy.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    with tempfile.TemporaryDirectory(prefix="tristream-") as directory:
        emulator = Emulator(Path(directory))
        try:
            with emulator:
                yield emulator
        finally:
            shutil.rmtree(KEPT, ignore_errors=True)
            KEPT.mkdir(parents=True)
            for file in (emulator.log, emulator.journal.path):
                shutil.copy(file, KEPT)


@pytest.fixture(scope="session")
def stack(emulator: Emulator) -> Stack:
    project = emulator.directory / "project"
    project.mkdir()
    PROVIDERS.mkdir(parents=True, exist_ok=True)
    deployment = Deployment(project, {**emulator.client_environment(), "TF_PLUGIN_CACHE_DIR": str(PROVIDERS)})
    # The same object: phases that come later are in the report as well.
    deployment.times = times
    said = deployment.deploy()
    return Stack(emulator, deployment, said)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not times:
        return
    phases = ", ".join(f"{phase} {seconds:.0f} s" for phase, seconds in times.items())
    terminalreporter.write_line(f"{phases}; MiniStack's log and journal: {KEPT.relative_to(REPOSITORY)}")
