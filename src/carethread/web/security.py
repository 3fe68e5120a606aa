"""What every answer says to browsers: load nothing from elsewhere, keep nothing, be in no frame, guess no type."""

from collections.abc import Mapping

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
_YEAR = 31_536_000


def security_headers(*, is_encrypted: bool) -> Mapping[str, str]:
    """Return the headers of every page."""
    headers = {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
    if is_encrypted:
        headers["strict-transport-security"] = f"max-age={_YEAR}"
    return headers
