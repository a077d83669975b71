"""Other people's files are as they came: the table beside them says what each is, by its hash."""

import base64
import hashlib
import re

from gateway.assets import STATIC

VENDOR = STATIC / "vendor"
ROW = re.compile(r"\| `([^`]+)` \| `([^`]+)` \| ([\d.]+) \| ([\w.-]+) \| `(sha512-[^`]+)` \|")


def rows() -> dict[str, str]:
    """Each file's hash by its path."""
    return {path: digest for path, _, _, _, digest in ROW.findall((VENDOR / "README.md").read_text())}


def test_vendored_files_are_those_of_the_table() -> None:
    for path, digest in rows().items():
        actual = base64.b64encode(hashlib.sha512((VENDOR / path).read_bytes()).digest()).decode()
        assert digest == f"sha512-{actual}", path


def test_no_vendored_file_is_missing_from_the_table() -> None:
    found = {str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if path.suffix in {".js", ".mjs", ".css"}}
    assert found == set(rows())


def test_each_package_has_its_licence() -> None:
    for folder in {path.partition("/")[0] for path in rows()}:
        assert (VENDOR / folder / "LICENSE").is_file()
