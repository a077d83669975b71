"""Where the command's files go when nobody says where, and whose they are."""

import fcntl
import os
from pathlib import Path

# Where the `ops` container has the folder for backups; its own working directory can't be written.
BACKUPS = Path("/backups")


def folder_for(*preferred: Path) -> Path:
    """The first of these folders, of the folder for backups and of the working directory that can be written."""
    return next((folder for folder in (*preferred, BACKUPS) if folder.is_dir() and os.access(folder, os.W_OK)), Path())


def lock(descriptor: int) -> bool:
    """Lock a file for as long as it is open. False when another process has it, or the filesystem knows no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
