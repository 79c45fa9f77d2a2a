"""SMPP 3.4 for an ESME, sans-IO: PDUs, session, receipts.

The section numbers in this package are those of "Short Message Peer to Peer Protocol Specification v3.4",
issue 1.2, 12-Oct-1999. ``session.Session`` is the way in; ``docs/smpp-session.md`` shows its states.
"""
