"""Which version of the product this is."""

from importlib.metadata import PackageNotFoundError, version


def product_version() -> str:
    """The installed version, or 0 for a checkout."""
    try:
        return version("foyer")
    except PackageNotFoundError:
        return "0"
