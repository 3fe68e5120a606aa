"""A browser that somebody signs in with, and the provider of others at which they do."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc.jwk import ECKey, Key, RSAKey

from carethread.trust.sealing import Seal
from carethread.web.authentication import Authentication
from carethread.web.claims import read_claim
from carethread.web.openid import RETURN, SIGNED_OUT, Client, OpenId
from carethread.web.provider import Provider
from tests.fhir.authorisation import Stopwatch

ADDRESS = "https://care.example"
# What a form has to write otherwise.
SECRET = "a b+c%20/=:&~"
SEAL = Seal(bytes(range(32)))
PRIVATE = ECKey.generate_key("P-256")
AUTHENTICATION = Authentication(private=PRIVATE.as_pem(private=True))
KEYS: tuple[Key, ...] = (RSAKey.generate_key(2048, {"kid": "rsa"}), ECKey.generate_key("P-256", {"kid": "ec"}))
_ACTION = re.compile(r'<form[^>]*action="([^"]+)"')
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
_MOST_PAGES = 12


def clients(address: str = ADDRESS) -> list[dict[str, Any]]:
    """Return the clients that the provider knows, each as another installation would be registered."""
    same = {
        "redirect_uris": [address + RETURN],
        "post_logout_redirect_uris": [address + SIGNED_OUT],
        "scope": "openid staff email",
    }
    secret = {"client_secret": SECRET}
    ways: dict[str, dict[str, Any]] = {
        "basic": secret,
        "post": secret | {"token_endpoint_auth_method": "client_secret_post"},
        "public": {"token_endpoint_auth_method": "none"},
        "key": {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [AUTHENTICATION.public_key()]}},
        "ps": secret | {"id_token_signed_response_alg": "PS256"},
        "es": secret | {"id_token_signed_response_alg": "ES256"},
        "hs": secret | {"id_token_signed_response_alg": "HS256"},
    }
    return [{"client_id": name, **same, **way} for name, way in ways.items()]


class RealProvider:
    """oidc-provider, as another program."""

    def __init__(self, folder: Path, address: str = ADDRESS) -> None:
        self.process = subprocess.Popen(
            ["node", folder / "provider.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.keys: Sequence[Key] = KEYS
        self.issuer: str = self._say({"clients": clients(address), "keys": self._private()})["issuer"]

    def sign_with(self, keys: Sequence[Key]) -> None:
        """Sign with other keys from now on."""
        self.keys = keys
        assert self._say(self._private())["rotated"]

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def _private(self) -> list[dict[str, Any]]:
        return [{**each.as_dict(private=True), "use": "sig"} for each in self.keys]

    def _say(self, what: Any) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(what), file=self.process.stdin, flush=True)
        for line in self.process.stdout:
            # It warns as well, of what a test may do.
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise AssertionError("the provider ended")


def open_id(
    issuer: str,
    client_id: str = "basic",
    authentication: Authentication | None = None,
    *,
    claim: str = "{fhirUser}",
    scope: str = "openid",
    seal: Seal = SEAL,
    watch: Stopwatch | None = None,
    **other: Any,
) -> OpenId:
    """Return what signs in at a provider."""
    client = Client(client_id, ADDRESS, read_claim(claim), scope, bases=(f"{ADDRESS}/fhir",))
    provider = Provider(issuer, **({"monotonic": watch} if watch else {}))
    return OpenId(client, provider, authentication or Authentication(SECRET), seal, **other)


class Browser:
    """A browser: it keeps the provider's cookies, and fills in its forms."""

    def __init__(self) -> None:
        self._http = httpx.Client(trust_env=False)

    def visit(self, location: str, fields: Mapping[str, str] | None = None) -> str:
        """Go where one is sent, and fill in what is asked, until one is sent back; return the query then."""
        answer = self._http.get(location)
        for _ in range(_MOST_PAGES):
            if answer.is_redirect:
                target = str(answer.url.join(answer.headers["location"]))
                if target.startswith(ADDRESS):
                    assert urlsplit(target).path in (RETURN, SIGNED_OUT)
                    return urlsplit(target).query
                answer = self._http.get(target)
                continue
            assert answer.status_code == 200, answer.text
            action = _ACTION.search(answer.text)
            assert action is not None, answer.text
            form = {**dict(_HIDDEN.findall(answer.text)), **(fields or {})}
            answer = self._http.post(answer.url.join(action[1]), data=form)
        raise AssertionError("the provider never sends anybody back")

    def sign_in(self, location: str, who: str = "A1") -> str:
        """Sign in as somebody; return the query with which they come back."""
        return self.visit(location, {"login": who, "password": "made up"})

    def close(self) -> None:
        """Forget everything."""
        self._http.close()
