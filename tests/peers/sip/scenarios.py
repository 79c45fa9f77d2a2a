"""What the callees and strangers of the tests do, each as a scenario for SIPp."""

from tests.peers.sip.steps import (
    ANSWERED,
    CALLER_HANGS_UP,
    PASSWORD,
    Q850_NORMAL,
    REALM,
    RINGING,
    TAG,
    TRYING,
    USER,
    Scenario,
    answer,
    awaited,
    contains,
    final,
    in_dialog,
    invited,
    keep,
    keep_vias,
    lacks,
    pause,
    receive,
    request,
    respond,
    run,
    sdp,
    stranger,
)

ANSWERS = Scenario("answers", (*ANSWERED, *CALLER_HANGS_UP))
BAD_LINE = '<timewait milliseconds="4000"/>'  # in which the last answer is repeated when it was lost
ANSWERS_ON_A_BAD_LINE = Scenario("answers", (*ANSWERED, *CALLER_HANGS_UP, BAD_LINE))
BUSY = Scenario("rings, then busy", (invited(), TRYING, RINGING, final("486 Busy Here"), receive("ACK")))
BUSY_ON_A_BAD_LINE = Scenario("busy", (*BUSY.steps, BAD_LINE))

CANCELLED = (invited(), RINGING, receive("CANCEL"), in_dialog("200 OK"))
NEVER_ANSWERS = Scenario(
    "rings until it is cancelled",
    (
        *CANCELLED,
        respond("487 Request Terminated", via="[$via]", cseq="CSeq: [$number] INVITE", repeat=True),
        receive("ACK"),
    ),
)
ANSWERS_TOO_LATE = Scenario(
    "answers after it was cancelled",
    (
        *CANCELLED,
        respond("200 OK", via="[$via]", cseq="CSeq: [$number] INVITE", body=sdp(), repeat=True),
        receive("ACK"),
        *CALLER_HANGS_UP,
    ),
)
HANGS_UP = Scenario("hangs up", (*ANSWERED, pause(300), request("BYE", 1, Q850_NORMAL), awaited(200)))
NEVER_THERE = Scenario("takes an INVITE and says nothing", (receive("INVITE"), pause(60_000)))


def early_media(file: str) -> Scenario:
    """183 with SDP, and an announcement from a file of PCMA octets, long before the 200."""
    announcement = run(f'rtp_stream="{file},1,8,PCMA/8000"')
    body = sdp(port="[rtpstream_audio_port]")
    return Scenario(
        "early media",
        (
            invited(),
            respond("183 Session Progress", body=body),
            announcement,
            pause(1_000),
            answer(body=body),
            receive("ACK"),
            *CALLER_HANGS_UP,
        ),
    )


def refused(status: str, *headers: str) -> Scenario:
    return Scenario(f"refused with {status}", (invited(), final(status, *headers), receive("ACK")))


def challenged(proxy: bool, *, repeated: bool = False) -> Scenario:
    """Answers only to who knows the password; `proxy` believes it, for SIPp cannot check that header.

    With `repeated` the challenge comes once more after the INVITE that answers it.
    """
    status = "407 Proxy Authentication Required" if proxy else "401 Unauthorized"
    header = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
    proof = "Proxy-Authorization" if proxy else "Authorization"
    challenge = f'{header}: Digest realm="{REALM}", nonce="f00d[call_number]", algorithm=MD5, qop="auth"'
    verify = "" if proxy else f'<verifyauth assign_to="checked" username="{USER}" password="{PASSWORD}"/>'
    again = (respond(status, challenge, via="[$via]", cseq="CSeq: [$number] INVITE"), receive("ACK"))
    retry = {"via": "[$retry_via]", "cseq": "CSeq: [$retry] INVITE", "tag": "" if repeated else TAG}
    kept = (keep("retry", "CSeq:", "[0-9]+"), keep_vias("retry_via"))
    return Scenario(
        status,
        (
            invited(),
            final(status, challenge),
            receive("ACK"),
            receive("INVITE", *kept, contains(proof, f'realm="{REALM}"'), verify),
            '<nop test="checked" next="1"/>',
            final("403 Forbidden"),
            receive("ACK"),
            '<nop next="2"/>',
            '<label id="1"/>',
            *(again if repeated else ()),
            respond("180 Ringing", **retry),
            respond("200 OK", body=sdp(), repeat=True, **retry),
            receive("ACK"),
            *CALLER_HANGS_UP,
            '<label id="2"/>',
        ),
    )


def phishing(realm: str) -> Scenario:
    """Asks for a password in a realm that is not the carrier's: nothing may come of it."""
    challenge = f'WWW-Authenticate: Digest realm="{realm}", nonce="bait", algorithm=MD5, qop="auth"'
    return Scenario(
        "phishing",
        (
            invited(),
            final("401 Unauthorized", challenge),
            receive("ACK", lacks("Authorization")),
            # A further INVITE is unexpected, which fails the call.
            pause(500),
        ),
    )


ROUTE = "<sip:[local_ip]:[local_port];lr;edge=1>"
RECORD_ROUTE = f"Record-Route: {ROUTE}"
ELSEWHERE = "<sip:callee@192.0.2.7:5066;line=4>"  # reachable by the route alone
ROUTED = contains("Route", "<sip:127[.]0[.]0[.]1:[0-9]+;lr;edge=1>")
IN_REQUEST_LINE = (
    '<ereg regexp="^[A-Z]+ sip:callee@192[.]0[.]2[.]7:5066;line=4 SIP/2.0" search_in="msg" '
    'check_it="true" assign_to="checked"/>'
)
RECORDS_ITS_ROUTE = Scenario(
    "records its route",
    (
        invited(),
        respond("180 Ringing", RECORD_ROUTE, route="", contact=ELSEWHERE),
        respond("200 OK", RECORD_ROUTE, route="", contact=ELSEWHERE, body=sdp(), repeat=True),
        receive("ACK", ROUTED, IN_REQUEST_LINE),
        receive("BYE", ROUTED, IN_REQUEST_LINE),
        in_dialog("200 OK"),
    ),
)

RELIABLE = Scenario(
    "rings reliably",
    (
        invited(),
        respond("180 Ringing", "Require: 100rel", "RSeq: 4711", repeat=True),
        receive("PRACK", contains("RAck", "4711 [0-9]+ INVITE")),
        in_dialog("200 OK"),
        respond("200 OK", via="[$via]", cseq="CSeq: [$number] INVITE", tag="", body=sdp(), repeat=True),
        receive("ACK"),
        *CALLER_HANGS_UP,
    ),
)

INTERVAL_TOO_SMALL = Scenario(
    "session interval too small",
    (
        invited(),
        final("422 Session Interval Too Small", "Min-SE: 3600"),
        receive("ACK"),
        receive("INVITE", contains("Session-Expires", "^ *3600"), contains("Min-SE", "^ *3600")),
        answer("Require: timer", "Session-Expires: 3600;refresher=uac"),
        receive("ACK"),
        *CALLER_HANGS_UP,
    ),
)

CHANGES_MEDIA = Scenario(
    "re-INVITE, UPDATE, OPTIONS and INFO",
    (
        *ANSWERED,
        pause(200),
        request("INVITE", 1, body=sdp(2, "sendonly")),
        awaited(100, optional=True),
        awaited(200),
        request("ACK", 1),
        request("UPDATE", 2, body=sdp(3)),
        awaited(200),
        request("OPTIONS", 3),
        awaited(200),
        request("INFO", 4, body="Signal=5\nDuration=160", content="application/dtmf-relay"),
        awaited(200),
        *CALLER_HANGS_UP,
    ),
)

RECORDED = "/usr/share/sip-tester"  # packets that somebody's telephone has sent (RFC 4733), and SIPp replays
PRESSES_A_KEY = Scenario(
    "presses a key",
    (*ANSWERED, pause(400), run(f'play_pcap_audio="{RECORDED}/dtmf_2833_1.pcap"'), *CALLER_HANGS_UP),
)


def sends_from_elsewhere(file: str) -> Scenario:
    """Its media port is somebody else's (`-key elsewhere PORT`), and yet it sends: a file of PCMA octets."""
    return Scenario(
        "sends media from a port that it has not named",
        (
            invited(),
            answer(body=sdp(port="[elsewhere]")),
            receive("ACK"),
            pause(300),
            run(f'rtp_stream="{file},1,8,PCMA/8000"'),
            *CALLER_HANGS_UP,
        ),
    )


def transfers(outcome: str) -> Scenario:
    """Takes a REFER and tells how it went."""
    return Scenario(
        "transfers",
        (
            *ANSWERED,
            receive("REFER", contains("Refer-To", "sip:agent@")),
            in_dialog("202 Accepted"),
            *_notify(1, "active;expires=60", "100 Trying"),
            *_notify(2, "terminated;reason=noresource", outcome),
            *CALLER_HANGS_UP,
        ),
    )


def uninvited(status: int) -> Scenario:
    """Calls, and is told `status`."""
    return Scenario(
        "calls uninvited",
        (stranger("INVITE", body=sdp()), awaited(100, optional=True), awaited(status), stranger("ACK")),
    )


def _notify(number: int, state: str, status: str) -> tuple[str, str]:
    headers = ("Event: refer", f"Subscription-State: {state}")
    return (
        request("NOTIFY", number, *headers, body=f"SIP/2.0 {status}", content="message/sipfrag;version=2.0"),
        awaited(200),
    )


UNINVITED = uninvited(403)
NOBODY_THERE = uninvited(404)
BYE_FOR_NOBODY = Scenario("hangs up no call", (stranger("BYE", tag=";tag=of-nobody"), awaited(481)))
ASKS = Scenario("asks for a sign of life", (stranger("OPTIONS"), awaited(200)))
