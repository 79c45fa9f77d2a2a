"""A simulated callee: telephones behind a SIP carrier, with every habit and fault we know.

`callee.Callee` runs on the event loop of a test, `serve.serve` makes it a process; `options.CalleeOptions`
says everything it can do and `stories.STORIES` what the reserved numbers do. What each call heard is kept
as a recording (`recording.Recording`), who did what in it as a `records.CallRecord`.
"""
