"""Settings: what is wrong is said in one line that names the variable, never its value."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from graph.settings import RESERVED, Settings, load_settings, unknown_settings
from models.errors import ConfigurationError

SAFE = {
    "FIELDWARD_ENV": "production",
    "FIELDWARD_MONGODB_URL": "mongodb://api:hidden-password@db.example/fieldward?tls=true",
    "FIELDWARD_KEYSTORE_URL": "mongodb://keystore:hidden-password@keys.example/fieldward_keys?tls=true",
    "FIELDWARD_KEYRING": "aws-kms://alias/fieldward",
    "FIELDWARD_ISSUER": "https://users.example",
    "FIELDWARD_DATA_DIR": "/var/lib/fieldward",
    "FIELDWARD_SMTP_URL": "smtps://api:hidden-password@mail.example",
    "FIELDWARD_MAIL_FROM": "Users <no-reply@users.example>",
}


def problem(**changes: str) -> str:
    """What is said about safe production settings with these changes ('' unsets)."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings({**SAFE, **{f"FIELDWARD_{name}": value for name, value in changes.items()}})
    assert "hidden-password" not in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.message


def test_development_needs_nothing() -> None:
    """The defaults are those of the contract."""
    settings = load_settings({})
    assert (settings.env, settings.region, settings.workers) == ("development", "eu", 1)
    assert (settings.host, settings.port, settings.data_dir) == ("127.0.0.1", 8000, Path(".data"))
    assert settings.mongodb_url is None
    assert settings.issuer == "http://127.0.0.1:8000"


def test_a_wrong_value_is_not_repeated() -> None:
    """It may be a secret that was put into the wrong variable."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"FIELDWARD_PORT": "hidden-password", "FIELDWARD_ISSUER": "hidden-password"})
    assert "hidden-password" not in caught.value.message


def test_an_empty_value_is_an_unset_one() -> None:
    """As compose files write it."""
    assert load_settings({f"FIELDWARD_{name.upper()}": "" for name in Settings.model_fields}) == load_settings({})


def test_safe_production_settings_are_taken() -> None:
    """Nothing else is asked for."""
    assert load_settings(SAFE).production


def test_settings_cannot_be_changed() -> None:
    """They are read once."""
    with pytest.raises(ValidationError):
        setattr(load_settings({}), "port", 1)  # noqa: B010 - as an assignment the type checker refuses it already


def test_the_database_credential_does_not_show() -> None:
    """Nor that of the mail server; not in the settings' own text either."""
    assert "hidden-password" not in repr(load_settings(SAFE))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("PORT", "0"),
        ("WORKERS", "0"),
        ("MAX_PAGE", "0"),
        ("MAX_PAGE", "1001"),
        ("REGION", "EU West"),
        ("ENV", "staging"),
        ("STEP_UP", "sometimes"),
        ("ISSUER", "people.example"),
        ("ISSUER", "https://users.example/path"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "https://*.example"),
        ("ALLOWED_ORIGINS", "https://app.example/path"),
        ("SMTP_URL", "mail.example:587"),
        ("SMTP_URL", "http://mail.example"),
        ("SMTP_URL", "smtp://api:hidden-password@mail.example:many"),
        ("SMTP_URL", "smtp://api:hidden-password@mail.example?tls=off"),
        ("MAIL_FROM", "Users"),
        ("MAIL_FROM", "Users\r\nBcc: x <no-reply@users.example>"),
        ("ACCOUNT_URL", "users.example/account"),
        ("ACCOUNT_URL", "javascript:alert(1)"),
        ("ACCOUNT_URL", "https://users.example/account#reset="),
        ("ACCOUNT_URL", "https://users.example/account?next=x"),
        ("ACCOUNT_URL", "https://users.example/a b"),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,::/0"),
    ],
)
def test_a_wrong_value_names_its_variable(name: str, value: str) -> None:
    """In development too."""
    with pytest.raises(ConfigurationError, match=f"^FIELDWARD_{name}: ") as caught:
        load_settings({f"FIELDWARD_{name}": value})
    assert "hidden-password" not in caught.value.message


def test_what_a_wrong_value_must_be_is_said() -> None:
    """In plain words, not in those of a parser."""
    said = "FIELDWARD_PORT: must be a whole number from 1 to 65535."
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"FIELDWARD_PORT": "many"})
    assert caught.value.message == said


def test_a_misspelt_variable_is_found() -> None:
    """It would silently change nothing."""
    given = {"FIELDWARD_MONGO_URL": "x", "FIELDWARD_PORT": "1", f"FIELDWARD_{RESERVED[0]}": "", "HOME": "/root"}
    assert unknown_settings(given) == ["FIELDWARD_MONGO_URL"]


def test_origins_are_split_at_commas() -> None:
    """Blanks around them do not count."""
    origins = load_settings({"FIELDWARD_ALLOWED_ORIGINS": "https://a.example, https://b.example:8443,"}).allowed_origins
    assert origins == {"https://a.example", "https://b.example:8443"}


def test_production_names_all_that_is_missing_at_once() -> None:
    """One start tells everything."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"FIELDWARD_ENV": "production"})
    for name in ("MONGODB_URL", "KEYSTORE_URL", "KEYRING", "ISSUER", "DATA_DIR", "SMTP_URL", "MAIL_FROM"):
        assert f"FIELDWARD_{name} is not set" in caught.value.message


def test_production_refuses_an_unsafe_database_address() -> None:
    """Requirement E6: TLS on every external connection, whoever opens it; `test_url_checks.py` has all of it."""
    for name in ("MONGODB_URL", "KEYSTORE_URL", "MIGRATOR_URL", "KEYSTORE_MIGRATOR_URL"):
        said = problem(**{name: "mongodb://other:hidden-password@db.example/fieldward"})
        assert f"FIELDWARD_{name} must use TLS" in said


def test_production_refuses_plain_http() -> None:
    """For the issuer and for pages."""
    said = problem(
        ISSUER="http://users.example", ALLOWED_ORIGINS="http://app.example", ACCOUNT_URL="http://users.example/account"
    )
    for name in ("ISSUER", "ALLOWED_ORIGINS", "ACCOUNT_URL"):
        assert f"FIELDWARD_{name} must be" in said


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"TRUSTED_PROXIES": "127.0.0.1"},
    ],
    ids=["nobody", "a proxy that needs no such address"],
)
def test_production_refuses_to_be_reached_without_tls(more: dict[str, str]) -> None:
    """What others send and get would pass in clear; both ways out are named."""
    said = problem(HOST="0.0.0.0", **more)  # noqa: S104 - refused
    assert said.startswith("FIELDWARD_HOST ")
    for name in ("TLS_CERTIFICATE", "TLS_KEY", "TRUSTED_PROXIES"):
        assert f"FIELDWARD_{name}" in said


@pytest.mark.parametrize(
    "more",
    [
        {"TLS_CERTIFICATE": "/etc/users.crt", "TLS_KEY": "/etc/users.key"},
        {"TRUSTED_PROXIES": "10.0.0.0/8"},
    ],
    ids=["own TLS", "a proxy"],
)
def test_production_may_be_reached_with_tls(more: dict[str, str]) -> None:
    """Its own, or that of the proxy in front."""
    given = {f"FIELDWARD_{name}": value for name, value in more.items()}
    assert load_settings({**SAFE, "FIELDWARD_HOST": "0.0.0.0", **given}).production  # noqa: S104 - nothing listens


@pytest.mark.parametrize("name", ["TLS_CERTIFICATE", "TLS_KEY"])
@pytest.mark.parametrize("env", ["development", "production"])
def test_a_certificate_needs_its_key(name: str, env: str) -> None:
    """One alone would leave the service at http, which nobody meant."""
    said = problem(**{"ENV": env, name: "/etc/users.pem"})
    assert said == "FIELDWARD_TLS_CERTIFICATE and FIELDWARD_TLS_KEY belong together: set both, or none."


def test_with_a_certificate_the_address_is_https() -> None:
    """Unless an issuer is given."""
    given = {"FIELDWARD_TLS_CERTIFICATE": "/etc/users.crt", "FIELDWARD_TLS_KEY": "/etc/users.key"}
    assert load_settings(given).issuer == "https://127.0.0.1:8000"


def test_what_follows_from_an_unset_issuer_is_not_held_against_another_setting() -> None:
    """Nobody who has not set the address of the page is told to change it."""
    assert "ACCOUNT_URL" not in problem(ISSUER="")


def test_production_refuses_mail_without_tls() -> None:
    """Requirement E6 once more: a link in a mail is as good as a password."""
    assert "FIELDWARD_SMTP_URL must use TLS" in problem(SMTP_URL="smtp://mail.example?tls=off")
    for url in ("smtp://mail.example", "smtps://mail.example:2465"):
        assert load_settings(SAFE | {"FIELDWARD_SMTP_URL": url}).production


def test_links_lead_to_this_service_unless_told() -> None:
    """To the page that it has for them."""
    assert load_settings({}).account_url == "http://127.0.0.1:8000/account"
    assert load_settings(SAFE).account_url == "https://users.example/account"
    named = load_settings(SAFE | {"FIELDWARD_ACCOUNT_URL": "https://app.example/account/links"})
    assert named.account_url == "https://app.example/account/links"


@pytest.mark.parametrize(("given", "asks"), [(None, False), ("on", True), ("off", False)])
def test_step_up_is_a_choice_in_development(given: str | None, asks: bool) -> None:
    """So that the demo's sign-ins work by their password."""
    assert load_settings({} if given is None else {"FIELDWARD_STEP_UP": given}).step_up is asks


def test_step_up_is_none_in_production() -> None:
    """It is on, and cannot be switched off."""
    assert load_settings(SAFE).step_up
    assert load_settings({**SAFE, "FIELDWARD_STEP_UP": "on"}).step_up
    assert problem(STEP_UP="off") == "FIELDWARD_STEP_UP cannot be off in production."


@pytest.mark.parametrize("name", RESERVED)
def test_what_this_version_cannot_do_is_refused(name: str) -> None:
    """A setting that is ignored would pretend."""
    with pytest.raises(ConfigurationError, match=f"FIELDWARD_{name} is not available in this version"):
        load_settings({f"FIELDWARD_{name}": "on"})


def test_trusted_proxies_are_networks() -> None:
    """An address is a network of one."""
    settings = load_settings({"FIELDWARD_TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1,2001:db8::/32"})
    assert settings.trusted_proxies == {"10.0.0.0/8", "127.0.0.1/32", "2001:db8::/32"}


MIGRATORS = {
    "MIGRATOR_URL": "mongodb://migrator:hidden-password@db.example/fieldward?tls=true",
    "KEYSTORE_MIGRATOR_URL": "mongodb://keymaster:hidden-password@keys.example/fieldward_keys?tls=true",
}


@pytest.mark.parametrize("name", ["KEYSTORE_URL", *MIGRATORS])
def test_each_address_has_a_user_of_its_own_in_production(name: str) -> None:
    """Whoever comes by the service's credential comes by that alone (requirement E2)."""
    for url in (SAFE["FIELDWARD_MONGODB_URL"], "mongodb://api:hidden-password@keys.example/fieldward_keys?tls=true"):
        said = problem(**MIGRATORS | {name: url})
        assert said == f"FIELDWARD_{name} must name another MongoDB user than FIELDWARD_MONGODB_URL in production."


def test_a_certificate_is_a_user_too() -> None:
    """One of its own for each address, as it stands in the place of a password."""
    url = "mongodb://db.example/?tls=true&authMechanism=MONGODB-X509&tlsCertificateKeyFile=/etc/{}.pem"
    given = {"FIELDWARD_MONGODB_URL": url.format("api"), "FIELDWARD_KEYSTORE_URL": url.format("keystore")}
    assert load_settings(SAFE | given).production
    assert "must name another MongoDB user" in problem(MONGODB_URL=url.format("api"), KEYSTORE_URL=url.format("api"))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"KEYSTORE_URL": "mongodb://keys.example"}, "KEYSTORE_URL needs FIELDWARD_MONGODB_URL"),
        ({"MIGRATOR_URL": "mongodb://db.example"}, "MIGRATOR_URL needs FIELDWARD_KEYSTORE_MIGRATOR_URL"),
        ({"KEYSTORE_MIGRATOR_URL": "mongodb://keys.example"}, "KEYSTORE_MIGRATOR_URL needs FIELDWARD_MIGRATOR_URL"),
    ],
)
def test_an_address_that_would_change_nothing_is_refused(given: dict[str, str], said: str) -> None:
    """Beside the embedded MongoDB, or one half of a migration."""
    with pytest.raises(ConfigurationError, match=f"FIELDWARD_{said} beside it"):
        load_settings({f"FIELDWARD_{name}": value for name, value in given.items()})


@pytest.mark.parametrize("name", ["ADMIN_URL", "KEYSTORE_ADMIN_URL"])
def test_an_administrator_is_no_part_of_a_service(name: str) -> None:
    """Their credential is for one command; a service that has it too could be made to use it."""
    with pytest.raises(ConfigurationError, match=f"FIELDWARD_{name} is for fieldward database provision only"):
        load_settings({f"FIELDWARD_{name}": "mongodb://root:hidden-password@db.example"})


@pytest.mark.parametrize(
    ("url", "keys"),
    [
        ("mongodb://db.example", "mongodb://db.example/fieldward_keys"),
        ("mongodb://db.example/people?tls=true", "mongodb://db.example/people_keys?tls=true"),
        ("mongodb://a:b@x:1,y:2/people", "mongodb://a:b@x:1,y:2/people_keys?authSource=people"),
        ("mongodb://a:b@x/?replicaSet=r", "mongodb://a:b@x/fieldward_keys?replicaSet=r&authSource=admin"),
        ("mongodb://a:b@x/people?authsource=admin", "mongodb://a:b@x/people_keys?authsource=admin"),
        ("mongodb+srv://a:b@x/people", "mongodb+srv://a:b@x/people_keys"),
    ],
)
def test_in_development_keys_lie_beside_the_data(url: str, keys: str) -> None:
    """In another database, opened by the same user of the same source."""
    found = load_settings({"FIELDWARD_MONGODB_URL": url}).addresses
    assert found is not None
    assert (found.api, found.migrator, found.keystore, found.keymaster) == (url, url, keys, keys)


def test_each_part_has_its_address() -> None:
    """As the environment says, and none shows."""
    given = SAFE | {f"FIELDWARD_{name}": url for name, url in MIGRATORS.items()}
    found = load_settings(given).addresses
    assert found is not None
    assert found.api == SAFE["FIELDWARD_MONGODB_URL"]
    assert found.keystore == SAFE["FIELDWARD_KEYSTORE_URL"]
    assert {found.migrator, found.keymaster} == set(MIGRATORS.values())
    assert "hidden-password" not in repr(found)


def test_an_address_that_cannot_be_read_is_named() -> None:
    """Not shown."""
    with pytest.raises(ConfigurationError, match="FIELDWARD_MONGODB_URL is not a usable MongoDB address") as caught:
        _ = load_settings({"FIELDWARD_MONGODB_URL": "mongodb://a:hidden-password@[db"}).addresses
    assert "hidden-password" not in caught.value.message


def test_the_root_key_is_beside_the_data_folder(tmp_path: Path) -> None:
    """So that a copy of that folder opens nothing."""
    found = load_settings({"FIELDWARD_DATA_DIR": str(tmp_path / "data")}).root_key
    assert found == str(tmp_path / "data.keys" / "root.json")
    assert load_settings(SAFE).root_key == "aws-kms://alias/fieldward"


@pytest.mark.parametrize(
    "keyring",
    [
        "data/root.json",
        "data",
        "data/../data/x",
        "https://x",
        "aws-kms://",
        "vault://transit",
        "vault://transit/",
        "file://x",
    ],
)
def test_a_place_that_is_none_for_a_root_key_is_refused(tmp_path: Path, keyring: str) -> None:
    """Inside of the data folder, or of a kind that there is not."""
    given = keyring if "://" in keyring else str(tmp_path / keyring)
    with pytest.raises(ConfigurationError, match=r"^FIELDWARD_KEYRING: must be the path of a file outside "):
        load_settings({"FIELDWARD_DATA_DIR": str(tmp_path / "data"), "FIELDWARD_KEYRING": given})
