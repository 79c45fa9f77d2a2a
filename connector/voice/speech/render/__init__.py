"""Segments to words, by CLDR and the tables beside; of the worker alone (imports babel)."""
