"""What holds a text does not show it: not in a traceback, not in asyncio's report of a callback."""

from connector.journal.ops import Accept, Batch
from connector.model import Content, LiveJob


def test_texts_and_numbers_do_not_show() -> None:
    content = Content("Your code is 739164", "ACME")
    job = LiveJob(
        key=1, app=1, id="j1", recipient="+4915798765432", content=content, accepted_at=0.0, deadline_at=1.0
    )
    batch = Batch(accepts=[Accept(job, "digest", '{"text":"Your code is 739164"}', 1.0, None)])
    shown = repr((content, job, batch))
    assert "739164" not in shown
    assert "4915798765432" not in shown
