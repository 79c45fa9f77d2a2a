"""Scenarios for SIPp, put together from steps: each reads from top to bottom as the conversation goes.

Finals are repeated until they are acknowledged (`retrans`), and Record-Route is copied: SIPp gives a call up
at the first message that its scenario does not expect, however legal.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

RETRANSMIT_MS = 500
USER, PASSWORD, REALM = "trunk", "s3cret-of-the-trunk", "carrier.example"
Q850_NORMAL = 'Reason: Q.850;cause=16;text="Normal call clearing"'
TAG = ";tag=[pid]callee[call_number]"

SDP = """\
v=0
o=callee 1 {version} IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio {port} RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
a={direction}
"""

REMEMBERED = {
    "caller": ("From:", ".*"),
    "callee": ("To:", ".*"),
    "number": ("CSeq:", "[0-9]+"),
}
# With several Via the variable holds several lines; what stands after them is up to us.
VIAS = '<ereg regexp="(Via: .*[^[:space:]])[[:space:]]+Max-Forwards:" search_in="msg" assign_to="{},{}"/>'


class Scenario(NamedTuple):
    """`steps` are SIPp's XML elements."""

    name: str
    steps: tuple[str, ...]

    def xml(self) -> str:
        body = "\n".join(self.steps)
        kept = dict.fromkeys(",".join(re.findall(r'assign_to="([\w,]+)"', body)).split(","))
        if any(kept):  # a variable that nothing reads is an error to SIPp, and so is one that nothing writes
            body += f'\n<Reference variables="{",".join(kept)}"/>'
        opening = f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<scenario name={quoteattr(self.name)}>'
        return f"{opening}\n{body}\n</scenario>\n"

    def repeating(self, milliseconds: int) -> "Scenario":
        """The same with another T1: what it repeats, it repeats after that time first."""
        quicker = f' retrans="{milliseconds}"'
        return self._replace(
            steps=tuple(step.replace(f' retrans="{RETRANSMIT_MS}"', quicker) for step in self.steps)
        )


def sdp(version: int = 1, direction: str = "sendrecv", port: str = "[media_port]") -> str:
    return SDP.format(version=version, direction=direction, port=port)


def invited() -> str:
    """The first INVITE; what later requests of the callee need of it is kept."""
    kept = "".join(keep(name, header, pattern) for name, (header, pattern) in REMEMBERED.items())
    return f'<recv request="INVITE" rrs="true"><action>{kept}{keep_vias("via")}</action></recv>'


def keep(name: str, header: str, pattern: str = ".*") -> str:
    """An action: a variable of what was received, as [$name]."""
    return f'<ereg regexp="{pattern}" search_in="hdr" header="{header}" assign_to="{name}"/>'


def keep_vias(name: str) -> str:
    """An action: all Via lines of what was received."""
    return VIAS.format(f"{name}_and_more", name)


def receive(method: str, *actions: str, optional: bool = False, next_: str = "") -> str:
    attributes = ' optional="true"' if optional else ""
    attributes += f' next="{next_}"' if next_ else ""
    return f'<recv request="{method}"{attributes}><action>{"".join(actions)}</action></recv>'


def awaited(status: int, optional: bool = False) -> str:
    """A response to a request of ours."""
    attributes = ' optional="true"' if optional else ""
    return f'<recv response="{status}"{attributes}/>'


def contains(header: str, pattern: str) -> str:
    """An action: the call fails unless the header of what was received matches."""
    return (
        f'<ereg regexp={quoteattr(pattern)} search_in="hdr" header="{header}:" check_it="true" '
        'assign_to="checked"/>'
    )


def lacks(header: str) -> str:
    """An action: the call fails when what was received has the header."""
    return (
        f'<ereg regexp="." search_in="hdr" header="{header}:" check_it_inverse="true" assign_to="checked"/>'
    )


def pause(milliseconds: int) -> str:
    return f'<pause milliseconds="{milliseconds}"/>'


def run(command: str) -> str:
    """Does something besides: rtp_stream, play_dtmf."""
    return f"<nop><action><exec {command}/></action></nop>"


def respond(
    status: str,
    *headers: str,
    body: str = "",
    content: str = "application/sdp",
    tag: str = TAG,
    contact: str = "<sip:callee@[local_ip]:[local_port];transport=[transport]>",
    route: str = "[last_Record-Route:]",
    via: str = "[last_Via:]",
    cseq: str = "[last_CSeq:]",
    repeat: bool = False,
    certain: bool = False,
) -> str:
    """A response to what was received last. `tag` is empty where the request had one.

    certain  never lost, on a lossy line either
    """
    lines = [f"SIP/2.0 {status}", via, "[last_From:]", f"[last_To:]{tag}", "[last_Call-ID:]", cseq]
    lines += [route, f"Contact: {contact}", *headers]
    return _send(lines, body, content, repeat, certain)


def final(status: str, *headers: str) -> str:
    """A response that refuses the INVITE."""
    return respond(status, *headers, repeat=True)


def answer(*headers: str, body: str | None = None) -> str:
    """200 with SDP."""
    return respond("200 OK", *headers, body=sdp() if body is None else body, repeat=True)


def in_dialog(status: str, *headers: str, body: str = "") -> str:
    return respond(status, *headers, body=body, tag="", repeat=bool(body))


def request(method: str, number: int, *headers: str, body: str = "", content: str = "application/sdp") -> str:
    """A request of the callee in the dialog that the INVITE has made."""
    lines = [
        f"{method} [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        f"From:[$callee]{TAG}",
        "To:[$caller]",
        "Call-ID: [call_id]",
        f"CSeq: {number} {method}",
        "Max-Forwards: 70",
        "[routes]",
        "Contact: <sip:callee@[local_ip]:[local_port];transport=[transport]>",
        *headers,
    ]
    return _send(lines, body, content, method != "ACK")


def _send(lines: Iterable[str], body: str, content: str, repeat: bool, certain: bool = False) -> str:
    lines = [line for line in lines if line]
    if body:
        lines.append(f"Content-Type: {content}")
    lines += ["Content-Length: [len]", "", *body.splitlines()]
    attributes = f' retrans="{RETRANSMIT_MS}"' if repeat else ""
    attributes += ' lost="0"' if certain else ""
    return f"<send{attributes}><![CDATA[\n\n" + "\n".join(lines) + "\n\n]]></send>"


RINGING = respond("180 Ringing")
CALLER_HANGS_UP = (receive("BYE"), in_dialog("200 OK"))
# SIPp takes a repeated INVITE for what it is only after one of its own answers has left.
TRYING = respond("100 Trying", tag="", certain=True)
ANSWERED = (invited(), TRYING, RINGING, answer(), receive("ACK"))


def stranger(method: str, *, body: str = "", tag: str = "") -> str:
    """A request of somebody with whom there is no dialog; `tag` claims one."""
    lines = [
        f"{method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "From: <sip:stranger@192.0.2.66>;tag=[pid]stranger[call_number]",
        f"To: <sip:[service]@[remote_ip]:[remote_port]>{tag or '[peer_tag_param]'}",
        "Call-ID: [call_id]",
        f"CSeq: 1 {method}",
        "Max-Forwards: 70",
        "Contact: <sip:stranger@[local_ip]:[local_port]>",
    ]
    return _send(lines, body, "application/sdp", method != "ACK")
