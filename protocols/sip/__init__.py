"""SIP for a trunk, sans-IO: messages, transactions, dialogs, calls, session descriptions.

The section numbers in this package are those of RFC 3261 where none other is named. ``agent.UserAgent`` is
the way in; ``message`` and ``stream`` read and write octets, ``digest`` proves who we are, ``sdp`` agrees on
the audio.
"""
