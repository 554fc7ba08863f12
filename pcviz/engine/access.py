"""Secrets that let somebody steer a run on a shared server. A store holds digests of them only, never a secret itself.

A browser's *key* owns the runs that were started with it. A run's *control token* lets whoever has its control link
steer that one run; it follows from the owner's key, so that nobody has to keep it. A *proof* is either of the two.
"""

import hashlib
import hmac


class NotAllowed(PermissionError):
    """On a shared server only its owner, and who has its control link, steers a run."""

    def __init__(
        self, reason: str = "This run belongs to somebody else: watch it, or copy its settings to a run of your own"
    ) -> None:
        super().__init__(reason)


def digest(secret: str) -> str:
    """What is stored of a secret, 64 hexadecimal digits (SHA-256); of none, nothing."""
    return hashlib.sha256(secret.encode()).hexdigest() if secret else ""


def token(secret: str, run: str) -> str:
    """What follows from a secret for one run, 64 hexadecimal digits; of no secret, nothing. (HMAC, RFC 2104)"""
    return hmac.new(secret.encode(), run.encode(), "sha256").hexdigest() if secret else ""


def fits(proof: str, stored: str) -> bool:
    """Whether a stored digest is that of `proof`; nothing fits nothing."""
    return bool(proof and stored) and hmac.compare_digest(digest(proof), stored)
