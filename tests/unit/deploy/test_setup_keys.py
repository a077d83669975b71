"""Where keys come from and who is given which."""

import re
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from deploy.setup.keys import fill, render_secrets
from deploy.setup.secrets import SECRETS
from services.common.settings import InvalidSetting
from services.common.topology import SERVICES


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "given").mkdir()
    return {"FOYER_KEYS_FOLDER": str(tmp_path / "keys"), "FOYER_SECRETS_FOLDER": str(tmp_path / "given")}


def contents(tmp_path: Path) -> dict[str, str]:
    keys = tmp_path / "keys"
    return {str(path.relative_to(keys)): path.read_text() for path in sorted(keys.rglob("*")) if path.is_file()}


def test_each_consumer_has_its_own_files_and_no_others(env: dict[str, str], tmp_path: Path) -> None:
    fill(env)
    found = contents(tmp_path)
    by_consumer = {
        name: sorted(p.partition("/")[2] for p in found if p.startswith(f"{name}/"))
        for name in (*SERVICES, "gateway", "broker", "database")
    }
    assert by_consumer == {
        "messaging": ["amqp_uri", "mongodb_uri"],
        "contacts": ["amqp_uri", "mongodb_uri"],
        "assignment": ["amqp_uri", "mongodb_uri"],
        "presence": ["admin_password", "amqp_uri", "mongodb_uri"],
        "gateway": ["amqp_uri", "secret_key"],
        "broker": ["erlang_cookie", "rabbitmq.conf"],
        "database": ["keyfile"],
    }
    for service in SERVICES:
        amqp, mongodb = urlsplit(found[f"{service}/amqp_uri"]), urlsplit(found[f"{service}/mongodb_uri"])
        assert (amqp.username, amqp.hostname, amqp.port, amqp.path) == (service, "broker", 5672, "/foyer")
        assert unquote(amqp.password or "") == found[f"operator/broker_passwords/{service}"]
        assert (mongodb.username, mongodb.netloc.rpartition("@")[2], mongodb.path) == (
            service,
            "database:27017",
            f"/foyer_{service}",
        )
        assert mongodb.query == f"replicaSet=rs0&authSource=foyer_{service}"
        assert unquote(mongodb.password or "") == found[f"operator/database_passwords/{service}"]
    assert found["operator/mongodb_uri"].endswith("@database:27017/?replicaSet=rs0&authSource=admin")
    assert f"default_pass = {found['operator/broker_api_password']}\n" in found["broker/rabbitmq.conf"]
    secrets = [found[f"operator/{place}"] for _, place in SECRETS.values()]
    assert len(set(secrets)) == len(SECRETS)


def test_files_are_their_owners_only(env: dict[str, str], tmp_path: Path) -> None:
    fill(env)
    modes = {
        p.relative_to(tmp_path / "keys").parts[0]: stat.S_IMODE(p.stat().st_mode)
        for p in (tmp_path / "keys").rglob("*")
        if p.is_file()
    }
    assert modes.pop("broker") == 0o444
    assert set(modes.values()) == {0o400}


def test_what_was_made_is_kept_when_it_is_run_again(env: dict[str, str], tmp_path: Path) -> None:
    fill(env)
    first = contents(tmp_path)
    fill(env)
    assert contents(tmp_path) == first


def test_run_that_was_cut_off_is_completed_with_the_same_secrets(env: dict[str, str], tmp_path: Path) -> None:
    fill(env)
    first = contents(tmp_path)
    for path in ("gateway/secret_key", "messaging/amqp_uri", "database/keyfile"):
        (tmp_path / "keys" / path).unlink()
    fill(env)
    assert contents(tmp_path) == first


def test_given_file_wins_over_the_variable_and_both_over_what_was_kept(env: dict[str, str], tmp_path: Path) -> None:
    fill(env)
    (tmp_path / "given" / "secret_key").write_text("f" * 40 + "\n")
    (tmp_path / "given" / "database_keyfile").write_text("abcd\nefgh\n")
    fill(
        env
        | {"FOYER_SECRET_KEY": "v" * 40, "FOYER_BROKER_CONTACTS_PASSWORD": "p@ss:word/1", "FOYER_ADMIN_PASSWORD": "ten letters"}
    )
    found = contents(tmp_path)
    assert found["gateway/secret_key"] == "f" * 40
    assert found["database/keyfile"] == "abcdefgh"
    assert found["contacts/amqp_uri"] == "amqp://contacts:p%40ss%3Aword%2F1@broker:5672/foyer"
    assert found["presence/admin_password"] == found["operator/admin_password"] == "ten letters"


def test_operators_password_before_is_kept_for_the_setup(env: dict[str, str], tmp_path: Path) -> None:
    fill(env)
    before = contents(tmp_path)["operator/broker_api_password"]
    fill(env | {"FOYER_BROKER_OPERATOR_PASSWORD": "secondPassword"})
    fill(env | {"FOYER_BROKER_OPERATOR_PASSWORD": "thirdPassword"})
    fill(env)
    found = contents(tmp_path)
    assert found["operator/broker_api_password"] == "thirdPassword"
    assert found["operator/broker_api_password.previous"].split() == ["secondPassword", before]
    assert "operator/database_passwords/operator.previous" not in found


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("secret_key", "short", "must be one line of at least 32 characters"),
        ("broker_contacts_password", "with space", "must be 8 to 200 letters"),
        ("broker_operator_password", "hash#hash", "must be 8 to 200 letters"),
        ("broker_operator_password", "tag:value", r"must be .* \(no colon: with one in it RabbitMQ 4 does not start\)"),
        ("database_keyfile", "not_base64", "must be 6 to 1024 characters of base64"),
        ("admin_password", "short", "must be one line of 10 to 200 characters"),
        ("broker_cookie", "with-hyphen-with-hyphen-", "must be 20 to 255 letters and digits"),
    ],
)
def test_given_secret_is_refused_without_being_shown_when_unusable(
    env: dict[str, str], tmp_path: Path, name: str, value: str, said: str
) -> None:
    with pytest.raises(InvalidSetting, match=f"^FOYER_{name.upper()} {said}") as raised:
        fill(env | {f"FOYER_{name.upper()}": value})
    assert value not in str(raised.value)
    assert contents(tmp_path) == {}
    (tmp_path / "given" / name).write_text(value)
    with pytest.raises(InvalidSetting, match=f"^The secret {name} in .* {said}"):
        fill(env)


def test_secrets_for_a_cluster_hold_the_same_files(env: dict[str, str], tmp_path: Path) -> None:
    fill(env)
    found = contents(tmp_path)
    manifests = {manifest["metadata"]["name"]: manifest for manifest in yaml.safe_load_all(render_secrets(env))}
    assert set(manifests) == {f"foyer-{name}" for name in (*SERVICES, "gateway", "operator")} | {
        f"foyer-database-{user}" for user in (*SERVICES, "operator")
    }
    assert all((m["apiVersion"], m["kind"], m["type"]) == ("v1", "Secret", "Opaque") for m in manifests.values())
    for consumer in (*SERVICES, "gateway"):
        files = {p.partition("/")[2]: content for p, content in found.items() if p.startswith(f"{consumer}/")}
        assert manifests[f"foyer-{consumer}"]["stringData"] == files
    assert manifests["foyer-database-contacts"]["stringData"] == {"password": found["operator/database_passwords/contacts"]}
    operator = manifests["foyer-operator"]["stringData"]
    assert operator["broker_passwords.monitor"] == found["operator/broker_passwords/monitor"]
    assert all(re.fullmatch(r"[-._a-zA-Z0-9]+", key) for key in operator)


def test_cluster_addresses_are_the_given_ones(env: dict[str, str], tmp_path: Path) -> None:
    hosts = {"FOYER_BROKER_HOST": "rabbit.foyer:5672", "FOYER_DATABASE_HOSTS": "db-0.db:27017,db-1.db:27017"}
    rendered = render_secrets(env | hosts)
    assert "@rabbit.foyer:5672/foyer" in rendered
    assert "@db-0.db:27017,db-1.db:27017/foyer_contacts?replicaSet=rs0&authSource=foyer_contacts" in rendered
    assert not (tmp_path / "keys").exists()


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own: it configures the logs for good."""
    return subprocess.run(
        [sys.executable, "-m", "deploy.setup", *arguments], env=variables, capture_output=True, text=True, check=False
    )


def test_command_prints_no_secret_and_says_where_each_is_from(env: dict[str, str], tmp_path: Path) -> None:
    result = run("keys", **env, FOYER_ADMIN_PASSWORD="a given password")
    assert (result.returncode, result.stderr) == (0, "")
    for content in contents(tmp_path).values():
        assert content.strip() not in result.stdout
    assert '"name": "admin_password", "origin": "variable"' in result.stdout
    assert '"name": "secret_key", "origin": "made"' in result.stdout


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (["keys"], {"FOYER_SECRET_KEY": "short"}, "FOYER_SECRET_KEY must be one line of at least 32 characters.\n"),
        (["broker"], {}, "FOYER_BROKER_API_PASSWORD_FILE must name the file with the operator's password.\n"),
        (["database"], {}, "FOYER_DATABASE_PASSWORDS must name the folder with a file for each user's password.\n"),
        (["broker", "--kubernetes"], {}, "--kubernetes goes with keys only\n"),
        (["everything"], {}, None),
    ],
)
def test_command_ends_with_2_when_it_is_asked_wrongly(
    env: dict[str, str], arguments: list[str], variables: dict[str, str], said: str | None
) -> None:
    result = run(*arguments, **env, **variables)
    assert (result.returncode, result.stdout) == (2, "")
    assert said is None or result.stderr.endswith(said)
