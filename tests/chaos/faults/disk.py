"""A disk without room: the database's folder lies on a small file system, which is filled to the last byte."""

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pymongo.errors import PyMongoError

from tests.chaos.faults import Fault
from tests.support.small_disk import SmallDisk, why_no_disk

if TYPE_CHECKING:
    from tests.chaos.product import ChaosProduct
    from tests.chaos.world import World


class FullDisk(Fault):
    """mongod ends itself at the first write that finds no room, and can't start again before there is some."""

    name: ClassVar[str] = "disk-full"
    title: ClassVar[str] = "no room is left for the database: mongod ends itself, and is started again once there is"
    seconds: ClassVar[float] = 5.0
    own_product: ClassVar[bool] = True
    _disk: SmallDisk | None = None

    def why_not(self) -> str:
        """Mounting needs root."""
        return why_no_disk()

    def prepare(self, product: "ChaosProduct") -> None:
        """Lay a small file system under the database."""
        self._disk = SmallDisk(product.database.data_dir)
        self._disk.mount()

    def apply(self, world: "World") -> None:
        """Fill it, and have the checkpoint that mongod makes each minute made now."""
        assert self._disk is not None
        written = self._disk.fill()
        with contextlib.suppress(PyMongoError):
            world.product.mongo("messaging").client.admin.command("fsync")
        world.note(f"{written:,} bytes were written, {self._disk.free_bytes} are left")

    def heal(self, world: "World") -> None:
        """Make room, and start mongod as an orchestrator would."""
        if self._disk is None:
            return
        process = world.product.process("database")
        world.note(f"mongod ended with {process.returncode}" if not process.running else "mongod lived on")
        self._disk.free()
        world.revive("database")

    def clear(self, product: "ChaosProduct") -> None:
        """Take the file system away."""
        if self._disk is not None:
            self._disk.unmount()


FAULTS: Sequence[type[Fault]] = (FullDisk,)
