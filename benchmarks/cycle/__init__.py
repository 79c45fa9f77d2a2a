"""The full cycle: from an application's submit to the event with its job's end, through the real daemon."""
