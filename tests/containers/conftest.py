"""One stack for all tests that leave it as they found it; skipped, with the reason, where no container can be started."""

import os
import shutil
import subprocess
from collections.abc import Iterator

import docker
import pytest
from docker.errors import ImageNotFound

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
    if shutil.which("docker") is None:
        pytest.skip("docker is not installed")
    # Asked by the command: the library leaves a socket open when nobody answers.
    for question, missing in (("version", "no Docker engine answers"), ("compose version", "docker has no compose plugin")):
        asked = subprocess.run(["docker", *question.split()], capture_output=True, text=True, timeout=60, check=False)
        if asked.returncode:
            pytest.skip(f"{missing}: {asked.stderr.strip()}")
    client = docker.from_env()
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
