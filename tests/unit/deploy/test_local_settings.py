"""What the runner reads from its environment."""

from pathlib import Path

import pytest

from deploy.local.errors import RunnerError
from deploy.local.external import broker_addresses, database_addresses
from deploy.local.parts import make_embedded, make_environment
from deploy.local.private import kept_secret_key, write_private
from deploy.local.process import REPOSITORY
from deploy.local.settings import RunnerSettings


def test_defaults_hold_when_the_environment_is_empty() -> None:
    settings = RunnerSettings.read({})
    assert settings.data_dir == REPOSITORY / ".foyer"
    assert (settings.host, settings.port, settings.broker_port, settings.database_port) == ("127.0.0.1", 8000, 5772, 27127)
    assert settings.url == "http://127.0.0.1:8000"
    assert settings.admin_email == "admin@foyer.localhost"
    assert settings.amqp_uri is settings.mongodb_uri is settings.secret_key is settings.admin_password is None


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:8000"), ("::", "http://[::1]:8000"), ("10.1.2.3", "http://10.1.2.3:8000")],  # noqa: S104
)
def test_url_is_one_for_clients_when_the_host_is_any_address(host: str, url: str) -> None:
    assert RunnerSettings.read({"FOYER_HOST": host}).url == url


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "80.5", "٣"])
def test_port_is_refused_with_an_example_when_it_is_none(text: str) -> None:
    with pytest.raises(RunnerError, match=f"FOYER_PORT={text} is not a port") as refusal:
        RunnerSettings.read({"FOYER_PORT": text})
    assert "FOYER_PORT=8000" in refusal.value.remedy


def test_ports_are_refused_when_two_are_the_same() -> None:
    with pytest.raises(RunnerError, match="FOYER_PORT=5772"):
        RunnerSettings.read({"FOYER_PORT": "5772"})


def test_secret_key_is_refused_when_too_short() -> None:
    with pytest.raises(RunnerError, match="at least 32"):
        RunnerSettings.read({"FOYER_SECRET_KEY": "short"})


def test_secret_key_is_the_same_and_private_when_asked_for_again(tmp_path: Path) -> None:
    key = kept_secret_key(tmp_path)
    assert len(key) >= 32
    assert kept_secret_key(tmp_path) == key
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_private_file_is_replaced_whole_when_written_again(tmp_path: Path) -> None:
    for text in ("first", "second"):
        write_private(tmp_path / "file", text)
    assert (tmp_path / "file").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_nothing_is_embedded_when_both_addresses_are_given() -> None:
    given = {"AMQP_URI": "amqp://broker/", "MONGODB_URI": "mongodb://database/?replicaSet=rs0"}
    settings = RunnerSettings.read(given)
    assert make_embedded(settings) == []
    environment = make_environment(settings, given, embedded=[], secret_key="k" * 32, admin_password=None)
    assert given.items() <= environment.items()


def test_children_get_the_embedded_addresses_when_none_is_given(tmp_path: Path) -> None:
    settings = RunnerSettings.read({"FOYER_DATA": str(tmp_path), "FOYER_BROKER_PORT": "5999", "FOYER_DATABASE_PORT": "27999"})
    base = {"PATH": "/bin", "FOYER_LOG_FORMAT": "json", "FOYER_RATE_LIMITS": "off"}
    environment = make_environment(settings, base, embedded=make_embedded(settings), secret_key="k" * 32, admin_password="p")
    assert environment["AMQP_URI"] == "amqp://guest:guest@127.0.0.1:5999/%2F"
    assert environment["MONGODB_URI"] == "mongodb://127.0.0.1:27999/?replicaSet=rs0"
    assert environment["EVENTLET_NO_GREENDNS"] == "yes"
    assert environment["FOYER_ADMIN_PASSWORD"] == "p"
    assert base.items() <= environment.items()


def test_addresses_are_found_when_uris_name_several() -> None:
    assert broker_addresses("amqp://u:p@one:5673/v;amqps://two") == [("one", 5673), ("two", 5671)]
    assert database_addresses("mongodb://u:p%40@one,two:27018/db?replicaSet=rs0") == [("one", 27017), ("two", 27018)]
    assert database_addresses("mongodb+srv://cluster.example.org/") == []


@pytest.mark.parametrize("uri", ["rabbit:5672", "http://broker/", "amqp://"])
def test_broker_uri_is_refused_with_an_example_when_it_is_none(uri: str) -> None:
    with pytest.raises(RunnerError, match="AMQP_URI") as refusal:
        broker_addresses(uri)
    assert "amqp://user:password@host:5672/vhost" in refusal.value.remedy
