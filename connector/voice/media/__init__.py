"""RTP of all calls: one clock, and a session for each call."""
