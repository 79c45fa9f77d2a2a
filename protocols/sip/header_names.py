"""Names of headers: compact ones, those of lists, and the key that all spellings of one name share."""

from typing import Final

_COMPACT: Final = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"""RFC 3261 §7.3.3 and IANA's registry of header fields."""

LISTS: Final = frozenset(
    {
        "accept",
        "accept-contact",
        "accept-encoding",
        "accept-language",
        "alert-info",
        "allow",
        "allow-events",
        "call-info",
        "contact",
        "content-encoding",
        "content-language",
        "diversion",
        "error-info",
        "history-info",
        "in-reply-to",
        "p-asserted-identity",
        "p-associated-uri",
        "p-preferred-identity",
        "path",
        "proxy-require",
        "reason",
        "record-route",
        "reject-contact",
        "require",
        "route",
        "security-client",
        "security-server",
        "security-verify",
        "service-route",
        "supported",
        "unsupported",
        "via",
        "warning",
    }
)
"""Headers whose values may stand in one line, with commas between them (RFC 3261 §7.3.1). The challenges
and credentials of digest have commas of another meaning.
"""

_COMMON: Final = (
    "Via",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Max-Forwards",
    "Content-Type",
    "Content-Length",
    "Allow",
    "Supported",
    "Require",
    "Route",
    "Record-Route",
    "User-Agent",
    "Server",
    "Session-Expires",
    "Min-SE",
    "RSeq",
    "RAck",
    "Reason",
    "Retry-After",
    "Expires",
    "Accept",
    "WWW-Authenticate",
    "Proxy-Authenticate",
    "Authorization",
    "Proxy-Authorization",
    "P-Asserted-Identity",
    "Date",
    "Event",
    "Refer-To",
    "Subscription-State",
    "Warning",
    "Unsupported",
    "Allow-Events",
    "Subject",
)
KEYS: Final = {name: name.lower() for name in _COMMON} | {name.lower(): name.lower() for name in _COMMON}
KEYS.update({each: name for short, name in _COMPACT.items() for each in (short, short.upper())})


def key_of(name: str) -> str:
    """By which headers of one meaning are found: the long name in lower case."""
    return KEYS.get(name) or name.lower()
