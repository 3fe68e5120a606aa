"""From the settings to the server that takes e-mail: whatever is wrong names its remedy, and no secret."""

from pathlib import Path

import pytest

from carethread.app.mail import mail_server_of
from carethread.errors import ConfigurationError
from carethread.settings import Settings
from carethread.web import Encryption, MailServer


def of(folder: Path, **said: str) -> MailServer | None:
    """Return the server of these settings; the password's value is the content of its file."""
    environ = {}
    for name, value in {"mail_from": "no-reply@care.example", **said}.items():
        given = value
        if name == "smtp_password":
            file = folder / "password"
            file.write_text(value)
            given = str(file)
        environ[f"CARETHREAD_{name.upper()}"] = given
    return mail_server_of(Settings.load(environ))


def test_whoever_names_no_server_sends_nothing() -> None:
    assert mail_server_of(Settings()) is None


@pytest.mark.parametrize(
    "url, password, host, port, encryption, user",
    [
        ("smtp://mail.example", "", "mail.example", 587, Encryption.STARTTLS, ""),
        ("smtp://anna@mail.example:2525/", "s3cret\n", "mail.example", 2525, Encryption.STARTTLS, "anna"),
        ("smtps://a%40b.example@mail.example", "s3cret", "mail.example", 465, Encryption.FROM_THE_START, "a@b.example"),
        ("smtp://localhost:25", "", "localhost", 25, Encryption.NONE, ""),
        ("smtp://127.0.0.1:25", "", "127.0.0.1", 25, Encryption.NONE, ""),
        ("smtp://[::1]:25", "", "::1", 25, Encryption.NONE, ""),
    ],
)
def test_what_a_url_says(
    tmp_path: Path, url: str, password: str, host: str, port: int, encryption: Encryption, user: str
) -> None:
    said = {"smtp_url": url} | ({"smtp_password": password} if password else {})
    expected = MailServer(host, port, encryption, "no-reply@care.example", user, password.strip())
    assert of(tmp_path, **said) == expected


@pytest.mark.parametrize(
    "said, remedy",
    [
        ({}, "set CARETHREAD_SMTP_URL as well"),
        ({"smtp_url": "smtp://mail.example", "mail_from": "Care <a@b.example>"}, "without a name, such as no-reply@"),
        ({"smtp_url": "smtp://anna@mail.example"}, "both the user and the password, or neither"),
        ({"smtp_url": "smtp://mail.example", "smtp_password": "s3cret"}, "both the user and the password, or neither"),
        ({"smtp_url": "smtp://anna:s3cret@mail.example"}, "a password belongs in a file"),
        ({"smtp_url": "https://mail.example"}, "such as smtp://user@mail.example:587"),
        ({"smtp_url": "smtp://"}, "such as smtp://user@mail.example:587"),
        ({"smtp_url": "smtp://mail.example:x"}, "such as smtp://user@mail.example:587"),
        ({"smtp_url": "smtp://mail.example/path"}, "such as smtp://user@mail.example:587"),
        ({"smtp_url": "smtp://mail.example?x"}, "such as smtp://user@mail.example:587"),
        ({"smtp_url": "smtp://anna@mail.example", "smtp_password": "\n"}, "holds no secret in its first line"),
    ],
)
def test_what_is_wrong_names_its_remedy(tmp_path: Path, said: dict[str, str], remedy: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        of(tmp_path, **said)
    assert remedy in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_server_without_a_sender() -> None:
    with pytest.raises(ConfigurationError, match="set CARETHREAD_MAIL_FROM as well"):
        Settings.load({"CARETHREAD_SMTP_URL": "smtp://mail.example"})
