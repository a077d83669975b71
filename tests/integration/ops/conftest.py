"""One whole product that the command looks at, and a broker and database without services, for what is done while they are stopped."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deploy.local.process import REPOSITORY
from services.common.amqp import close_quietly, connect
from services.common.topology import declare
from tests.support import parts
from tests.support.product import Gateway, Product
from tests.support.stack import Stack

# Whatever else runs in containers here is not what the tests are about.
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}

# The doctor has an eye for keys that somebody made up.
STRONG = {"FOYER_SECRET_KEY": secrets.token_hex(32)}


class BareProduct(Product):
    """Broker and database at first; the services when they are asked for."""

    def start(self) -> None:
        Stack.start(self)

    def start_services(self) -> Gateway:
        for name in ("presence", "contacts", "messaging", "assignment"):
            self.start_service(name)
        return self.start_gateway()


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Ops:
    """Runs the command as an operator of a stack would."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder

    def begin(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        # From a folder of its own: files without a name given go to where it is called.
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.ops", *arguments],
            env=self.stack.environment | NO_ENGINE | {"PYTHONPATH": str(REPOSITORY)} | variables,
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, given: str = "", **variables: str) -> Said:
        with self.begin(*arguments, **variables) as process:
            out, err = process.communicate(given, timeout=60)
            return Said(process.returncode, out, err)

    def must(self, *arguments: str, **options: str) -> Said:
        """Ends with 0."""
        said = self.run(*arguments, **options)
        assert said.status == 0, said
        return said


product = pytest.fixture(parts.product(**STRONG), scope="package")
gateway = pytest.fixture(parts.gateway, scope="package")
admin = pytest.fixture(parts.admin, scope="package")


@pytest.fixture(scope="package")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareProduct]:
    with parts.running(BareProduct(tmp_path_factory.mktemp("bare"), **STRONG)) as bare:
        connection = connect(bare.settings.amqp_uri)
        declare(connection.connection, bare.settings)
        close_quietly(connection)
        yield bare


@pytest.fixture
def ops(product: Product, gateway: Gateway, tmp_path: Path) -> Ops:
    return Ops(product, tmp_path)


@pytest.fixture
def bare_ops(bare: BareProduct, tmp_path: Path) -> Ops:
    return Ops(bare, tmp_path)
