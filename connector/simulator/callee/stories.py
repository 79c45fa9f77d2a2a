"""Fixed stories of the reserved numbers +447700900000 to +447700900999, as telephones.

The range is set aside for fiction (Ofcom, numbers for use in TV and radio drama), so these numbers reach
nobody: whoever calls one gets the same story every time, whatever faults are turned on. What a story does
not mention is as the server's options say.
"""

from __future__ import annotations

from dataclasses import dataclass

from .options import line_changes

PREFIX = "447700900"


@dataclass(frozen=True, slots=True)
class Story:
    """What the number does, and the options by which it does it."""

    title: str
    changes: dict[str, object]


_ANSWERS: dict[str, object] = {
    "reject_status": 0, "answers": True, "answer_after": "fixed:0.5", "says": "hello", "early_media": "none",
    "press": "", "hang_up_after_s": 0, "ignore": "", "late_200": False, "sends_rtp": True,
    "challenge": "none",
}  # fmt: skip

_SHORT: dict[int, tuple[str, dict[str, object]]] = {
    1: ("answers and presses 1", {"press": "1@quiet:600"}),
    2: ("answers, presses 1, then 0 for an agent", {"press": "1@quiet:600,0@quiet:1200"}),
    3: ("answers and presses wrong digits", {"press": "7@quiet:600,9@quiet:600,5@quiet:600"}),
    4: ("answers and presses 2", {"press": "2@quiet:600"}),
    5: ("answers and hangs up after 2 s", {"hang_up_after_s": 2}),
    6: ("answers and hangs up at once", {"hang_up_after_s": 0.05, "says": "none"}),
    7: ("answers and presses 1 by SIP INFO", {"press": "1@quiet:600", "digits_by": "info"}),
    8: ("answers, sends no RTP", {"sends_rtp": False}),
    9: ("answers, presses 1 before it hears anything", {"press": "1@0.1", "says": "none"}),
    20: ("busy", {"reject_status": 486, "reject_rings": True}),
    21: ("no answer: rings until the caller gives up", {"answers": False}),
    22: ("no answer: the network gives up after 3 s", {"answers": False, "no_answer_after_s": 3}),
    23: ("voicemail: greeting and beep", {"says": "voicemail", "says_after_s": 0.1}),
    24: ("voicemail with a long greeting", {"says": "voicemail", "says_after_s": 0.1, "voicemail_s": 15}),
    25: ("announcement before the call fails", {"answers": False, "early_media": "announcement",
                                                "no_answer_after_s": 6}),
    26: ("late 200: the answer crosses the CANCEL", {"answers": False, "late_200": True}),
    27: ("falls silent: no request is answered after the call began", {"ignore": "BYE,CANCEL,INFO,UPDATE"}),
    28: ("nothing is ever answered", {"ignore": "INVITE"}),
    29: ("ringback as early media, then answers", {"early_media": "ringback", "answer_after": "fixed:2"}),
}  # fmt: skip

_REJECTED = (
    300, 302, 400, 402, 403, 404, 405, 406, 408, 410, 415, 420, 480, 481, 483, 484, 485, 486, 487, 488,
    500, 501, 502, 503, 504, 580, 600, 603, 604, 606, 607, 608,
)  # fmt: skip
"""Statuses that a story of their own returns, from …040 on."""


def _story(title: str, changes: dict[str, object]) -> Story:
    return Story(title, line_changes({**_ANSWERS, **changes}))


_LISTENS = _story("answers and listens", {})

STORIES: dict[str, Story] = {
    f"{PREFIX}{number:03}": story
    for number, story in {
        **dict.fromkeys(range(1000), _LISTENS),
        **{number: _story(*told) for number, told in _SHORT.items()},
        **{40 + place: _story(f"rejected by {status}", {"reject_status": status})
           for place, status in enumerate(_REJECTED)},
        **{100 + n: _story(f"rings, answers after {n} s", {"answer_after": f"fixed:{n}"})
           for n in range(1, 60)},
    }.items()
}  # fmt: skip
"""Number (international, no plus) to story; numbers without one of their own answer and listen."""
