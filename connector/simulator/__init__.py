"""A simulated carrier with every fault we know: for the demo, for tests, and for users in their own CI.

`smsc.Smsc` runs on the event loop of a test, `serve.serve` makes it a process, `control.ask` talks to one;
`options.SmscOptions` says everything it can do and `stories.STORIES` what the reserved numbers do.
"""
