"""Files that only their owner may read, and the secrets generated into them."""

import os
import secrets
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace the file's content in one step; nobody but its owner can ever read it."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    temporary.replace(path)


def kept_secret_key(data_dir: Path) -> str:
    """The data folder's secret key, made on the first call: tokens stay valid from one run to the next."""
    path = data_dir / "secret_key"
    if path.exists() and (key := path.read_text().strip()):
        return key
    key = secrets.token_hex(32)
    write_private(path, f"{key}\n")
    return key


def generate_password() -> str:
    """A password of 96 random bits, of letters, digits, - and _ only."""
    return secrets.token_urlsafe(12)
