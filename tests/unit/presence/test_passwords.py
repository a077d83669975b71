"""Password hashing under eventlet, in an interpreter of its own: eventlet's hub belongs to whoever imports it first."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import eventlet
from argon2 import PasswordHasher
from services.presence.dependencies import Passwords

cheap = dict(memory_cost=1024, parallelism=1)
passwords = Passwords(PasswordHasher(time_cost=1, **cheap))
passwords.setup()
stored = passwords.hash("correct horse \\u00fc")
assert stored.startswith("$argon2id$"), stored
assert stored != passwords.hash("correct horse \\u00fc")
assert passwords.verify(stored, "correct horse \\u00fc")
assert passwords.verify(stored, "correct horse u\\u0308"), "the same characters, typed otherwise"
assert not passwords.verify(stored, "correct horse u")
assert not passwords.verify(None, "correct horse \\u00fc")
assert not passwords.verify("not a hash", "correct horse \\u00fc")
assert not passwords.is_outdated(stored)
assert Passwords().is_outdated(stored)

slow = Passwords(PasswordHasher(time_cost=300, **cheap))
hashing = eventlet.spawn(slow.hash, "correct horse")
ticks = 0
while not hashing.dead:
    eventlet.sleep(0.001)
    ticks += 1
print(ticks)
"""


def test_passwords_are_verified_and_others_go_on_while_one_is_hashed() -> None:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 5
