"""The content security policies of the gateway's pages: what a browser lets each load, run and ask."""

import hashlib
from base64 import b64encode
from functools import lru_cache
from html.parser import HTMLParser

# No script or style but from here, no request but to here; icons may come as data. Browsers take 'self' for the page's own host
# over ws and wss as well (CSP 3; Safari since 15.4), so the streams need no address that a Host header would have to give.
POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# No string becomes markup or a script's address, whatever a visitor writes.
TRUSTED_TYPES = "; require-trusted-types-for 'script'; trusted-types 'none'"


@lru_cache
def policy_of(html: bytes, *, makes_markup: bool) -> str:
    """A page's policy, which allows the inline scripts that its file has; `makes_markup` where a library of it can't do without."""
    scripts = _InlineScripts()
    scripts.feed(html.decode())
    scripts.close()
    hashes = (b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts.texts)
    policy = POLICY.format(scripts=" ".join(["'self'", *(f"'sha256-{each}'" for each in hashes)]))
    return policy if makes_markup else policy + TRUSTED_TYPES


class _InlineScripts(HTMLParser):
    """The texts between `<script>` and `</script>` in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin one, unless it comes from an address."""
        self._inside = tag == "script" and "src" not in dict(attrs)
        if self._inside:
            self.texts.append("")

    def handle_data(self, data: str) -> None:
        """Take what is in it."""
        if self._inside:
            self.texts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        """End it."""
        self._inside = self._inside and tag != "script"
