"""One stack for all tests that leave it as they found it; skipped, with the reason, where no container can be started."""

import os
import subprocess
from collections.abc import Iterator

import docker
import pytest
from docker.errors import DockerException, ImageNotFound

from tests.containers.stack import ComposeStack, running

IMAGES = (
    "python:3.11-slim-bookworm",
    f"rabbitmq:{os.environ.get('RABBITMQ_VERSION') or '4'}-management",
    f"mongo:{os.environ.get('MONGO_VERSION') or '8'}",
)
PULL_SECONDS = 300


@pytest.fixture(scope="session")
def engine() -> None:
    """Skip unless there are an engine, compose, and the official images."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as error:
        pytest.skip(f"no Docker engine answers: {error}")
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker has no compose plugin")
    for image in IMAGES:
        try:
            client.images.get(image)
        except ImageNotFound:
            pull(image)
    client.close()


def pull(image: str) -> None:
    """Fetch an image, or skip."""
    try:
        done = subprocess.run(
            ["docker", "pull", "--quiet", image], capture_output=True, text=True, timeout=PULL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{image} is not here, and pulling it took too long")
    if done.returncode:
        pytest.skip(f"{image} is neither here nor to be pulled: {done.stderr.strip()}")


@pytest.fixture(scope="session")
def stack(engine: None) -> Iterator[ComposeStack]:
    """From nothing to healthy."""
    with running(ComposeStack(f"foyer-test-{os.getpid()}"), "--build") as stack:
        yield stack
