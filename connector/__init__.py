"""The daemon: takes jobs from applications and follows them through carriers to a final outcome."""

__version__ = "0.1.0"
