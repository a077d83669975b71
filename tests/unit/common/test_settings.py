"""Settings that every process reads: secrets from files, and where the broker's topology comes from."""

from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from services.common.settings import InvalidSetting, Settings, read_secret
from services.presence.settings import FirstAdminSettings


def test_secret_is_the_variables_or_its_files_without_the_last_line_end(tmp_path: Path) -> None:
    file = tmp_path / "amqp_uri"
    for content in ("amqp://a", "amqp://a\n", "amqp://a\r\n"):
        file.write_bytes(content.encode())
        assert Settings.read({"AMQP_URI_FILE": f"{file}", "AMQP_URI": ""}).amqp_uri == "amqp://a"
    assert Settings.read({"AMQP_URI": "amqp://b", "AMQP_URI_FILE": ""}).amqp_uri == "amqp://b"
    assert Settings.read({}).amqp_uri == "amqp://guest:guest@127.0.0.1:5672/"
    file.write_text(" spaces are part of it ")
    assert read_secret({"X_FILE": f"{file}"}, "X") == " spaces are part of it "


def test_secrets_of_the_gateway_and_of_presence_may_be_in_files(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("k" * 32 + "\n")
    assert GatewaySettings.read({"FOYER_SECRET_KEY_FILE": f"{tmp_path / 'key'}"}).secret_key == "k" * 32
    assert FirstAdminSettings.read({"FOYER_ADMIN_PASSWORD_FILE": f"{tmp_path / 'key'}"}).password == "k" * 32
    (tmp_path / "uri").write_text("mongodb://there/")
    assert Settings.read({"MONGODB_URI_FILE": f"{tmp_path / 'uri'}"}).mongodb_uri == "mongodb://there/"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "can't be read: No such file or directory."),
        (b"", "is empty."),
        (b"\n", "is empty."),
        (b"one\ntwo\n", "holds more than one line."),
        (b"\xff", "is not text in UTF-8."),
    ],
)
def test_file_is_refused_by_its_variable_and_path_when_unusable(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "amqp_uri"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidSetting) as raised:
        Settings.read({"AMQP_URI_FILE": f"{file}"})
    assert str(raised.value) == f"AMQP_URI_FILE={file} {said}"


def test_secret_is_refused_when_it_is_given_twice() -> None:
    with pytest.raises(InvalidSetting, match="AMQP_URI and AMQP_URI_FILE are both set; only one of them may be") as raised:
        Settings.read({"AMQP_URI": "amqp://hidden", "AMQP_URI_FILE": "/nowhere"})
    assert "hidden" not in str(raised.value)


def test_folder_is_not_read_as_a_secret(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="Is a directory"):
        Settings.read({"MONGODB_URI_FILE": f"{tmp_path}"})


@pytest.mark.parametrize(
    ("name", "said"),
    [("FOYER_TOPOLOGY", "must be one of declare, given"), ("FOYER_QUEUE_TYPE", "must be one of classic, quorum")],
)
def test_choice_is_refused_with_what_there_is_to_choose(name: str, said: str) -> None:
    with pytest.raises(InvalidSetting, match=f"{name}='mirrored' {said}"):
        Settings.read({name: "mirrored"})


def test_everything_is_declared_in_classic_queues_unless_said_otherwise() -> None:
    assert (Settings.read({}).topology, Settings.read({}).queue_type) == ("declare", "classic")
    settings = Settings.read({"FOYER_TOPOLOGY": "given", "FOYER_QUEUE_TYPE": "quorum"})
    assert (settings.topology, settings.queue_type) == ("given", "quorum")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("AMQP_URI", "amqp://"),
        ("AMQP_URI", "amqp://user@host/%2F?heartbeat=5"),
        ("AMQP_URI", "amqps://user:a!b$c%2F=~,+@[::1]:5671/foyer"),
        ("AMQP_URI", "amqp://u:p@one:5672/foyer;amqp://u:p@two:5672/foyer"),
        ("MONGODB_URI", "mongodb://host"),
        ("MONGODB_URI", "mongodb://u:p%40%3A%2F@one:27017,two:27017,[::1]:27017/db?replicaSet=rs0&authSource=admin"),
        ("MONGODB_URI", "mongodb+srv://u:p@host/?tls=true"),
        ("MONGODB_URI", "mongodb://%2Ftmp%2Fmongodb-27017.sock"),
    ],
)
def test_address_is_taken_as_it_is(name: str, address: str) -> None:
    assert getattr(Settings.read({name: address}), name.lower()) == address


@pytest.mark.parametrize(
    "password", ["se/cret", "12/cret", "se@cret", "se:cret", "se?cret", "se#cret", "se%cret", "se[cret", "1?2@3", "s:/@e"]
)
@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("AMQP_URI", "amqp://person:{}@somewhere:5672/foyer"),
        ("MONGODB_URI", "mongodb://person:{}@somewhere:27017/db?replicaSet=rs0"),
    ],
)
def test_address_is_refused_without_being_shown_when_its_password_is_not_encoded(
    tmp_path: Path, name: str, address: str, password: str
) -> None:
    file = tmp_path / "address"
    file.write_text(address.format(password))
    for given in ({name: address.format(password)}, {f"{name}_FILE": f"{file}"}):
        with pytest.raises(InvalidSetting) as raised:
            Settings.read(given)
        said = str(raised.value)
        assert said.startswith(f"{next(iter(given))} can't be read as ")
        assert "percent-encode" in said
        assert not any(part in said for part in ("person", "cret", "somewhere", password))


@pytest.mark.parametrize(
    ("name", "address"), [("AMQP_URI", "http://host/"), ("AMQP_URI", "host:5672"), ("MONGODB_URI", "mongodb://host:port/")]
)
def test_address_is_refused_when_it_is_of_something_else(name: str, address: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^{name} can't be read as "):
        Settings.read({name: address})
