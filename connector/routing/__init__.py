"""Which carrier a job leaves by. Pure: no clock, no IO."""
