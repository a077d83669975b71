"""The console's files under the address of their release: kept for good by browsers, and only as what they are."""

import json
import re
from pathlib import Path

import pytest

from gateway import release
from tests.unit.gateway.kit import World

FOREVER = "public, max-age=31536000, immutable"


def there(world: World) -> str:
    """The release that the page names."""
    found = re.search(r'src="(/console/r-[0-9a-f]{16}/)app/main\.js"', world.send("GET", "/console/").text)
    assert found
    return found.group(1)


def test_page_names_every_module_once_and_its_import_map_the_same_ones(world: World) -> None:
    html = world.send("GET", "/console/").text
    base = there(world)
    preloaded = re.findall(r'rel="modulepreload" href="([^"]+)"', html)
    sources = {f"app/{path.relative_to(release.CONSOLE / 'app')}" for path in (release.CONSOLE / "app").rglob("*.js")}
    assert sources <= {name.removeprefix(base) for name in preloaded}
    assert len(preloaded) == len(set(preloaded))
    imports = json.loads(re.search(r'<script type="importmap">(.*?)</script>', html, re.DOTALL)[1])["imports"]  # type: ignore[index]
    assert set(imports.values()) <= set(preloaded)
    assert html.index("importmap") < html.index("modulepreload")
    assert '"/console/app' not in html


def test_files_of_the_release_are_kept_for_good_and_those_of_another_not_at_all(world: World) -> None:
    base = there(world)
    ours = world.send("GET", f"{base}app/main.js")
    assert (ours.status_code, ours.headers["Cache-Control"]) == (200, FOREVER)
    others = world.send("GET", "/console/r-0123456789abcdef/app/main.js")
    assert (others.status_code, others.headers["Cache-Control"]) == (200, "no-store")
    assert others.data == ours.data
    assert world.send("GET", "/console/app/main.js").headers["Cache-Control"] == "no-cache"
    assert world.send("GET", f"{base}vendor/preact/preact.mjs").headers["Cache-Control"] == FOREVER
    assert world.send("GET", "/console/").headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("name", ["", "app/none.js", "index.html", "../pages.py", "vendor/README.md", "r-0/app/main.js"])
def test_what_is_no_file_is_not_found_in_a_release_either(world: World, name: str) -> None:
    assert world.send("GET", f"{there(world)}{name}").status_code == 404


def test_a_changed_file_makes_another_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "index.html").write_text('<script type="module" src="/console/app/main.js"></script>')
    (tmp_path / "app" / "main.js").write_text("one")
    monkeypatch.setattr(release, "CONSOLE", tmp_path)
    first, again = release.Release().page(), release.Release().page()
    (tmp_path / "app" / "main.js").write_text("another")
    assert first.etag == again.etag
    assert release.Release().page().etag != first.etag
