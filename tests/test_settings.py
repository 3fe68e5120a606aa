"""Settings: from the environment and a file, each with a remedy where it is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carethread.errors import ConfigurationError
from carethread.settings import FILE_VARIABLE, Settings, documentation, variable

ROOT = Path(__file__).resolve().parent.parent


def load(environ: dict[str, str], content: str | None = None, folder: Path | None = None) -> Settings:
    """Load settings, with a file of this content if there is one."""
    if content is not None:
        assert folder is not None
        file = folder / "settings.toml"
        file.write_text(content, encoding="utf-8")
        environ = environ | {FILE_VARIABLE: str(file)}
    return Settings.load(environ)


def test_every_setting_is_documented() -> None:
    reference = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert set(documentation()) == set(Settings.__dataclass_fields__)
    for name, said in documentation().items():
        assert f"| `{name}` | `{variable(name)}` | {said.meaning} | `{said.example}` |" in reference


def test_nothing_is_set_where_nothing_is_said() -> None:
    assert Settings.load({}) == Settings()


def test_the_data_directory_has_no_default() -> None:
    with pytest.raises(ConfigurationError, match=r"give --data DIRECTORY, or set CARETHREAD_DATA"):
        Settings.load({"CARETHREAD_DATA": ""}).data_directory()


def test_all_of_it_from_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    settings = load(
        {
            "CARETHREAD_DATA": "records",
            "CARETHREAD_DATABASE_URL": "postgresql://somebody@host/database",
            "CARETHREAD_INSTALLATION_NAME": "Thames Valley",
            "CARETHREAD_INSTALLATION_DOMAIN": "care.example",
            "CARETHREAD_SIGNING_KEY": str(file),
            "CARETHREAD_SIGNING_CERTIFICATE": str(file),
            "CARETHREAD_TRUSTED_CERTIFICATES": str(file),
            "CARETHREAD_ALLOWED_SIGNERS": str(file),
            "CARETHREAD_TOKEN_ISSUERS": str(file),
            "CARETHREAD_PATIENTS_OPEN_THREADS": "no",
            "CARETHREAD_HOST": "::1",
            "CARETHREAD_PORT": "9000",
            "CARETHREAD_BASE_URL": "https://care.example/fhir",
            "CARETHREAD_LARGEST_REQUEST": "10",
            "CARETHREAD_REQUEST_THREADS": "4",
            "CARETHREAD_ACCEPT_DRAFTS": "yes",
            "CARETHREAD_NOT_FOR_EMERGENCIES": "Call 112.",
            "CARETHREAD_TIME_ZONE": "Europe/Amsterdam",
            "CARETHREAD_SESSION_IDLE": "20",
            "CARETHREAD_SESSION_LONGEST": "8",
            "CARETHREAD_LARGEST_UPLOAD": "5",
            "CARETHREAD_SIGN_IN_ISSUER": "https://login.example",
            "CARETHREAD_SIGN_IN_CLIENT_ID": "carethread",
            "CARETHREAD_SIGN_IN_CLIENT_SECRET": str(file),
            "CARETHREAD_SIGN_IN_CLIENT_AUTHENTICATION": "client_secret_post",
            "CARETHREAD_SIGN_IN_CLAIM": "Practitioner/{sub}",
            "CARETHREAD_SIGN_IN_SCOPE": "openid profile",
            "CARETHREAD_SMTP_URL": "smtp://mail.example",
            "CARETHREAD_SMTP_PASSWORD": str(file),
            "CARETHREAD_MAIL_FROM": "no-reply@care.example",
        }
    )
    assert settings == Settings(
        data=Path("records"),
        database_url="postgresql://somebody@host/database",
        installation_name="Thames Valley",
        installation_domain="care.example",
        signing_key=file,
        signing_certificate=file,
        trusted_certificates=file,
        allowed_signers=file,
        token_issuers=file,
        patients_open_threads=False,
        host="::1",
        port=9000,
        base_url="https://care.example/fhir",
        largest_request=10,
        request_threads=4,
        accept_drafts=True,
        not_for_emergencies="Call 112.",
        time_zone="Europe/Amsterdam",
        session_idle=20,
        session_longest=8,
        largest_upload=5,
        sign_in_issuer="https://login.example",
        sign_in_client_id="carethread",
        sign_in_client_secret=file,
        sign_in_client_authentication="client_secret_post",
        sign_in_claim="Practitioner/{sub}",
        sign_in_scope="openid profile",
        smtp_url="smtp://mail.example",
        smtp_password=file,
        mail_from="no-reply@care.example",
    )


def test_an_argument_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    content = 'data = "from-file"\ninstallation_name = "From File"\n'
    environ = {"CARETHREAD_DATA": "from-environment"}
    assert load({}, content, tmp_path).data == tmp_path / "from-file"
    settings = load(environ, content, tmp_path)
    assert (settings.data, settings.installation_name) == (Path("from-environment"), "From File")
    assert Settings.load(environ, Path("from-option")).data_directory() == Path("from-option")


def test_paths_are_relative_to_the_file_and_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key.pem").touch()
    assert load({}, 'signing_key = "key.pem"', tmp_path).signing_key == tmp_path / "key.pem"
    assert load({"CARETHREAD_SIGNING_KEY": "~/key.pem"}).signing_key == tmp_path / "key.pem"


@pytest.mark.parametrize(
    "environ, remedy",
    [
        ({"CARETHREAD_DATABASE_URL": "mysql://root:secret@host/x"}, "such as postgresql://user@host/name"),
        ({"CARETHREAD_SIGNING_KEY": "absent.key"}, "CARETHREAD_SIGNING_KEY: there is no file absent.key; name one"),
        ({"CARETHREAD_ALLOWED_SIGNERS": "."}, "name one that exists, or leave it out"),
        ({"CARETHREAD_SIGNING_CERTIFICATE": __file__}, "set CARETHREAD_SIGNING_KEY as well"),
        ({"CARETHREAD_PATIENTS_OPEN_THREADS": "maybe"}, "CARETHREAD_PATIENTS_OPEN_THREADS: say yes or no"),
        ({"CARETHREAD_TIME_ZONE": "Europe/Atlantis"}, "name one such as Europe/Amsterdam"),
        ({"CARETHREAD_TIME_ZONE": "../../etc/passwd"}, "name one such as Europe/Amsterdam"),
        ({"CARETHREAD_SETTINGS": "absent.toml"}, "No such file or directory; correct CARETHREAD_SETTINGS, or unset it"),
    ],
)
def test_a_wrong_value_names_its_remedy_and_no_secret(environ: dict[str, str], remedy: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(environ)
    assert remedy in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "content, said",
    [
        ("data = ", "is not TOML"),
        ('database = "x"', "'database' is no setting; there are data, database_url"),
        ("data = 1", "data must be a text in quotes"),
        ('data = ""', "data must be a text in quotes"),
        ('[data]\npath = "x"', "data must be a text in quotes"),
        ('database_url = "sqlite:///x"', "database_url is not the URL"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load({}, content, tmp_path)
    assert said in str(raised.value)


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(b'data = "caf\xe9"')
    with pytest.raises(ConfigurationError, match="it is not UTF-8"):
        Settings.load({FILE_VARIABLE: str(file)})


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_names_are_taken_as_they_are(name: str) -> None:
    assert Settings.load({"CARETHREAD_INSTALLATION_NAME": name}).installation_name == name


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "100001", "٣", "1e3"])
def test_a_number_is_whole_and_not_out_of_all_proportion(text: str) -> None:
    with pytest.raises(ConfigurationError, match="CARETHREAD_PORT: say a whole number from 1 to 100000"):
        load({"CARETHREAD_PORT": text})
