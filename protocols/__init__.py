"""Sans-IO protocol cores: bytes in, events out; they know nothing of the daemon."""
