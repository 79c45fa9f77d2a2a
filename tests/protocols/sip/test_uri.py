import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.sip.errors import RemoteProtocolError
from protocols.sip.uri import Uri, parse_host

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=6)
HOSTS = st.sampled_from(("carrier.example", "192.0.2.1", "2001:db8::1", "a", "sip_1.example."))


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:carrier.example", Uri("sip", None, None, "carrier.example")),
        ("SIPS:a@b:5061", Uri("sips", "a", None, "b", 5061)),
        ("sip:a:b%40c@[2001:db8::1]:5070;lr", Uri("sip", "a", "b@c", "2001:db8::1", 5070, (("lr", None),))),
        (
            "sip:+4930@h;user=phone;transport=tcp?Subject=x",
            Uri("sip", "+4930", None, "h", None, (("user", "phone"), ("transport", "tcp")), "Subject=x"),
        ),
        ("sip:a;b=c%40d@h", Uri("sip", "a;b=c@d", None, "h")),
        ("sip:h;", Uri("sip", None, None, "h")),
        ("tel:+49-30;phone-context=x", Uri("tel", "+49-30", None, "", None, (("phone-context", "x"),))),
        ("urn:service:sos", Uri("urn", "service:sos", None, "")),
        ("soap.beep://192.0.2.103:3002", Uri("soap.beep", "//192.0.2.103:3002", None, "")),
    ],
)
def test_what_a_uri_says(text: str, uri: Uri) -> None:
    assert Uri.parse(text) == uri
    assert Uri.parse(str(uri)) == uri


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip",
        "sip:",
        ":h",
        "1:h",
        "sip:a@",
        "sip:a b@h",
        "sip:a@h:port",
        "sip:a@h:70000",
        "sip:a@[::1",
        "sip:a@[host]",
        "sip:a@h;=v",
        "sip:a@-h-",
        "<sip:a@h>",
        "sip:a@h\r\n",
        'sip:"a"@h',
        "sip:a@b@c",
        "tel:;x=y",
    ],
)
def test_what_is_no_uri(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        Uri.parse(text)


def test_nothing_can_be_slipped_into_a_uri() -> None:
    uri = Uri("sip", "+49>\r\nTo: x", "p w", "h", None, (("a;b", "c>d"),))
    assert str(uri) == "sip:+49%3E%0D%0ATo%3A%20x:p%20w@h;a%3Bb=c%3Ed"
    assert Uri.parse(str(uri)) == uri


def test_a_uri_hides_its_user() -> None:
    shown = repr(Uri.parse("sip:+4930123:secret@h;phone-context=+49"))
    assert "4930" not in shown
    assert "secret" not in shown
    assert "+49" not in shown


def test_parameters_are_found_in_any_case() -> None:
    uri = Uri.parse("sip:h;LR;Transport=TCP")
    assert (uri.param("lr"), uri.param("transport"), uri.param("maddr")) == ("", "TCP", None)


@pytest.mark.parametrize("text", ["", "[h]", "::1", "a b", "a;b", "[::1", "-"])
def test_what_is_no_host(text: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_host(text)


@given(
    st.builds(
        Uri,
        st.sampled_from(("sip", "sips")),
        TEXTS,
        st.none() | TEXTS,
        HOSTS,
        st.none() | st.integers(0, 65535),
        st.lists(st.tuples(NAMES, st.none() | TEXTS), max_size=3).map(tuple),
        st.sampled_from(("", "Route=%3Csip:h%3E")),
    )
)
def test_any_uri_of_ours_is_read_as_it_was_meant(uri: Uri) -> None:
    assert Uri.parse(str(uri)) == uri


@given(st.text(max_size=40) | st.from_regex(r"(sips?|tel|x):[a-z0-9@:;=?%\[\].+ ]*"))
def test_any_text_is_a_uri_or_refused(text: str) -> None:
    try:
        uri = Uri.parse(text)
    except RemoteProtocolError:
        return
    assert Uri.parse(str(uri)) == uri
