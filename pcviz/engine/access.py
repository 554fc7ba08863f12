"""Secrets that permit steering a run on a shared server. A store holds only their digests, never a secret itself.

A browser's *key* owns the runs that were started with it. A run's *control token* lets whoever has its control link
steer that one run; it is derived from the owner's key, so it need not be stored. A *proof* is either of the two.
"""

import hashlib
import hmac


class NotAllowed(PermissionError):
    """On a shared server only the owner of a run, and holders of its control link, may steer it."""

    def __init__(
        self, reason: str = "This run belongs to somebody else: watch it, or copy its settings to a run of your own"
    ) -> None:
        super().__init__(reason)


def digest(secret: str) -> str:
    """What is stored of a secret: 64 hexadecimal digits (SHA-256); an empty text for an empty secret."""
    return hashlib.sha256(secret.encode()).hexdigest() if secret else ""


def token(secret: str, run: str) -> str:
    """Token derived from a secret for one run, 64 hexadecimal digits (HMAC, RFC 2104); empty for an empty secret."""
    return hmac.new(secret.encode(), run.encode(), "sha256").hexdigest() if secret else ""


def fits(proof: str, stored: str) -> bool:
    """Whether a stored digest is that of `proof`; False if either is empty."""
    return bool(proof and stored) and hmac.compare_digest(digest(proof), stored)
