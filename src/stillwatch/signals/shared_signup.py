"""SG304  Signed up alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stillwatch.signals.registry import Tables, signal

if TYPE_CHECKING:
    import ibis.expr.types as ir


@signal(
    id="SG304",
    title="Signed up alike",
    means="Two accounts were opened from one address in the same hour of the clock, or with the same e-mail pattern.",
    innocent=("a course or a company that signs up together", "campus networks"),
    misses=("sign-ups spread over months and proxies", "sign-ups on both sides of a full hour"),
    unit="agreements",
    family="identity",
    needs=("accounts.signup_ip|accounts.email_fingerprint",),
    bits=10.0,
    sentence="Opened from one address in the same hour, or with the same e-mail pattern.",
    source="AA26-251A: registration similarity",
    enable="give an accounts table with signup_ip, created_at and email_fingerprint",
    atlas=("AML.T0021",),
    weighed_by="popularity",
    shape="pair",
)
def shared_signup(t: Tables) -> ir.Table:
    """Pairs of accounts opened from one address in the same hour, or with one e-mail pattern.

    Shapes  accounts -> (a, b, value, n), a < b
    Units   value: agreements, 1 or 2; n: accounts that share the rarer one
    """
    return t.sharing("signup")
