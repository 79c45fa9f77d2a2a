"""The state folder and the keys, as all commands of evidence take them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from connector.evidence.case import Case
    from connector.evidence.keys import Verifying

__all__ = [
    "Secrets", "chain_key_option", "one_case", "public_key_option", "readable", "secrets_of", "state_option",
]  # fmt: skip


_STRANGE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What comes of reading a record that somebody else has written."""


class Secrets(NamedTuple):
    """keys: those that were found; public_only: without the secret of the chain; by: both in words."""

    keys: Verifying
    public_only: bool
    by: str


def state_option() -> Callable[..., Any]:
    """`--state DIR`, also read from CONNECTOR_STATE."""
    return click.option(
        "--state",
        metavar="DIR",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        required=True,
        envvar="CONNECTOR_STATE",
        show_envvar=True,
        help="State folder of the lane, e.g. /var/lib/connector/verification, or a copy of it.",
    )


def chain_key_option() -> Callable[..., Any]:
    """`--chain-key FILE`, for those who keep the key elsewhere."""
    return click.option(
        "--chain-key",
        metavar="FILE",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="The chain's secret key, where it is not in the state folder.",
    )


def public_key_option() -> Callable[..., Any]:
    """`--public-key FILE`, for those who believe no key that lies beside what it proves."""
    return click.option(
        "--public-key",
        "public_keys",
        metavar="FILE",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        multiple=True,
        help="Believe this key alone, and prove without any secret what it has signed; "
        "several where it was replaced.",
    )


def secrets_of(state: Path, chain_key: Path | None = None, public_keys: tuple[Path, ...] = ()) -> Secrets:
    """What there is to verify with. With `public_keys` none of the folder's own keys is believed."""
    from connector.evidence.keys import Verifying, load_verifying

    if public_keys:
        believed = [load_verifying(state, None, file, secrets=False).publics for file in public_keys]
        keys = Verifying({}, {name: key for each in believed for name, key in each.items()})
        return Secrets(keys, True, f"with {' and '.join(file.name for file in public_keys)} alone")
    try:
        keys = load_verifying(state, chain_key)
    except PermissionError:
        keys = load_verifying(state, secrets=False)
    if keys.chains:
        return Secrets(keys, False, "with the secret key of the chain and the public key")
    return Secrets(keys, True, "with the public key alone")


def one_case(state: Path, job: str, app: str | None, seq: int | None) -> Case:
    """The evidence of a job; of several jobs of one id and application the newest."""
    from connector.evidence.case import cases

    found = cases(state, job, app, seq)
    if not found:
        raise click.ClickException(
            f"{job}: no record; a job has one when it has ended, until its day is deleted"
        )
    apps = sorted({case.line["record"]["app"] for case in found})
    if len(apps) > 1:
        raise click.ClickException(f"{job}: jobs of {', '.join(apps)} have this id; say which with --app")
    return found[-1]


@contextmanager
def readable(state: Path) -> Iterator[None]:
    """What cannot be read or written ends the command with code 1 and one line."""
    import apsw

    from connector.evidence.keys import FOLDER, KeyFault

    # An empty folder must not look like a chain in which nothing is amiss.
    if not (state / FOLDER).is_dir():
        raise click.ClickException(f"{state}: no evidence here, expected the state folder of a lane")
    try:
        yield
    except KeyFault as error:
        raise click.ClickException(str(error)) from None
    except BrokenPipeError:
        raise  # whoever reads has seen enough, as click knows
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{where}{error.strerror}") from None
    except apsw.Error as error:
        raise click.ClickException(f"the journal cannot be read: {error}") from None
    except _STRANGE as error:
        # Its text may hold what the record does: only the kind of the error is told.
        raise click.ClickException(
            f"a record is not as the daemon writes them ({type(error).__name__}); verify says which"
        ) from None


@contextmanager
def written(path: Path | None) -> Iterator[IO[bytes]]:
    """stdout, or a file that is there only when it is whole, for its owner alone."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path.exists() and not path.is_file():  # a pipe or a device: /dev/stdout must stay what it is
        with path.open("wb") as file:
            yield file
    else:
        fresh = path.with_name(f"{path.name}.new")
        try:
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                yield file
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
