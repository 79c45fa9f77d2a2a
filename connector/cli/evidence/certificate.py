"""`connector evidence certificate`: one message or call as a document to file."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import redirect_stdout
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from connector import __version__
from connector.cli.evidence.folder import (
    Secrets,
    chain_key_option,
    one_case,
    public_key_option,
    readable,
    secrets_of,
    state_option,
    written,
)

if TYPE_CHECKING:
    from connector.evidence.certificate import Checked

__all__ = ["command"]

_SHOWN: Final = 5


@click.command("certificate")
@state_option()
@click.argument("job")
@click.option("--app", help="The application, where several have jobs of this id.")
@click.option("--seq", type=click.IntRange(1), help="The record, where the id was used again.")
@chain_key_option()
@public_key_option()
@click.option("--unverified", is_flag=True,
              help="Leave out verifying, which reads the whole chain; the certificate says so.")  # fmt: skip
@click.option("--numbers", is_flag=True, help="With whole telephone numbers.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="FILE.html or FILE.pdf, mode 0600; by default HTML to stdout.")  # fmt: skip
def command(
    state: Path,
    job: str,
    app: str | None,
    seq: int | None,
    chain_key: Path | None,
    public_keys: tuple[Path, ...],
    output: Path | None,
    *,
    unverified: bool,
    numbers: bool,
) -> None:
    """Write the certificate of JOB, an id given by the application: what was sent, to whom, when, by whom it
    was carried, what was heard of it, and its place in the chain, which is verified for it.

    Exit codes: 0 written and the chain is whole, 1 no such job, or the chain is not whole (the certificate is
    written and says so), 2 bad usage.

    \b
    Examples:
      connector evidence certificate --state /var/lib/connector/verification order-1 -o order-1.pdf
      connector evidence certificate --state /var/lib/connector/verification order-1 > order-1.html
    """
    from connector.cli.decision import reason
    from connector.evidence.certificate import certificate

    if output is not None and output.suffix not in (".html", ".pdf"):
        raise click.BadParameter("expected a file that ends in .html or .pdf", param_hint="-o")
    with readable(state):
        case = one_case(state, job, app, seq)
        signer = None if case.head is None else case.head["key"]
        secrets = secrets_of(state, chain_key, public_keys)
        checked = _checked(state, secrets, signer, unverified=unverified)
    with readable(state):
        document = certificate(
            case,
            checked,
            reason,
            issued_by=f"carrier-connector {__version__}",
            state=str(state),
            numbers=numbers,
        )
    octets = _pdf(document) if output is not None and output.suffix == ".pdf" else document.encode()
    with readable(state), written(output) as out:
        out.write(octets)
    if checked.found:
        click.echo("the chain is not whole; the certificate says where", err=True)
        sys.exit(1)


def _checked(state: Path, secrets: Secrets, signer: str | None, *, unverified: bool) -> Checked:
    from connector.evidence.certificate import Checked
    from connector.evidence.verify import Report, verify

    report = Report(0, 0, []) if unverified else verify(state, secrets.keys, secrets.public_only)
    key = secrets.keys.publics.get(signer or secrets.keys.stated or "")
    return Checked(
        at=time.time(),
        done=not unverified,
        records=report.records,
        days=report.days,
        findings=report.findings[:_SHOWN],
        found=len(report.findings),
        by=secrets.by,
        secret=not secrets.public_only,
        key="" if key is None else sha256(key.public_bytes_raw()).hexdigest(),
    )


def _pdf(document: str) -> bytes:
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with redirect_stdout(StringIO()):  # it prints advice there when a library of the system is missing
            from weasyprint import HTML
    except (ImportError, OSError):
        raise click.ClickException(
            "PDF needs weasyprint: pip install 'carrier-connector[pdf]', and apt-get install "
            "libpangoft2-1.0-0 fonts-dejavu-core; or write HTML and print it"
        ) from None
    octets: bytes = HTML(string=document).write_pdf(pdf_variant="pdf/a-3u", pdf_tags=True)
    return octets
