"""Hold and resume by re-INVITE (RFC 3264 §8.4), as a telephone does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.sip import sdp

if TYPE_CHECKING:
    from protocols.sip.call import Call
    from protocols.sip.message import Response
    from protocols.sip.transactions import ClientTransaction


def hold(call: Call, on: bool, now: float) -> bool:
    """Ask for media in one direction only, or in both again; False while the call is not up."""
    dialog, media = call.dialog, call.media
    if dialog is None or media is None:
        return False
    call.session_version += 1
    direction: sdp.Direction = "sendonly" if on else "sendrecv"
    offer = sdp.offer(media, call.session_id, call.session_version, direction=direction)
    headers = [
        call.core.via(dialog.flow),
        ("Contact", call.contact),
        ("Content-Type", "application/sdp"),
    ]
    request = dialog.request("INVITE", dialog.next_cseq(), headers, offer)
    call.core.transactions.request(request, dialog.flow, _Asked(call), now)
    return True


class _Asked:
    """Acknowledges the answer, each time it comes (RFC 3261 §13.2.2.4); what it says changes nothing here."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def answered(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        call, dialog = self._call, self._call.dialog
        if 200 <= response.status < 300 and dialog is not None:
            ack = dialog.request("ACK", response.cseq.number, [call.core.via(dialog.flow)])
            call.core.send(dialog.flow, ack.encode())

    def failed(self, transaction: ClientTransaction, status: int, now: float) -> None:
        """Nobody answered: the call goes on as it was."""
