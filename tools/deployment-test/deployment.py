"""The repository's `terraform/` and `scripts/`, used from a copy: state and settings stay out of the tree."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


class Deployment:
    def __init__(self, directory: Path, environment: dict[str, str]):
        self.directory = directory
        self.environment = environment
        # Seconds per phase, for the report.
        self.times: dict[str, float] = {}
        not_sources = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars")
        for part in ("terraform", "scripts"):
            shutil.copytree(REPOSITORY / part, directory / part, ignore=not_sources)
        (directory / "dist").symlink_to((REPOSITORY / "dist").resolve())

    def deploy(self) -> str:
        """As `make deploy` does, with nobody to ask; what it said."""
        with self.timed("deploy"):
            return self.run("scripts/deploy.sh", TF_CLI_ARGS_apply="-auto-approve -no-color").stdout

    def changes(self) -> str:
        """What another plan would change; empty if it is nothing."""
        with self.timed("plan"):
            plan = self.terraform("plan", "-detailed-exitcode", allowed=(0, 2))
        return plan.stdout if plan.returncode else ""

    def destroy(self) -> None:
        with self.timed("destroy"):
            self.terraform("destroy", "-auto-approve")

    def outputs(self) -> dict[str, Any]:
        outputs = json.loads(self.terraform("output", "-json", plain=False).stdout)
        return {name: output["value"] for name, output in outputs.items()}

    def resources(self) -> list[str]:
        return self.terraform("state", "list", plain=False).stdout.split()

    def terraform(
        self, command: str, *arguments: str, plain: bool = True, **named: Any
    ) -> subprocess.CompletedProcess:
        always = ("-input=false", "-no-color") if plain else ()
        return self.run("terraform", "-chdir=terraform", command, *always, *arguments, **named)

    def run(
        self, *command: str, allowed: tuple[int, ...] = (0,), **environment: str
    ) -> subprocess.CompletedProcess:
        ended = subprocess.run(
            command,
            cwd=self.directory,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if ended.returncode not in allowed:
            raise RuntimeError(
                f"{' '.join(command)} ended with {ended.returncode}:\n{ended.stdout}\n{ended.stderr}"
            )
        return ended

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        begin = time.monotonic()
        yield
        self.times[phase] = time.monotonic() - begin
