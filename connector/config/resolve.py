"""What connector.toml leaves to the host: uids of user names, absolute paths, the state folder."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Mapping
from pathlib import Path as FilePath

import msgspec

from .document import Document
from .model import Application, ApplicationFile, ConnectorFile, Jobs
from .problem import Path, Problem
from .routing import LookupSettings
from .voice import Voice

__all__ = [
    "resolved_applications",
    "resolved_jobs",
    "resolved_lookup",
    "resolved_voice",
    "socket_path",
    "state_folder",
]

# sun_path of unix(7) is 108 octets with its NUL.
_SOCKET_PATH_OCTETS = 107


def resolved_applications(
    main: Document, file: ConnectorFile, problems: list[Problem]
) -> tuple[Application, ...]:
    """The applications by uid; unknown users and users of two applications go to `problems`."""
    owners: dict[int, str] = {}
    resolved: list[Application] = []
    for position, application in enumerate(file.applications):
        uids: list[int] = []
        for index, user in enumerate(application.uids):
            path: Path = ("application", position, "uids", index)
            uid = _uid(user)
            if uid is None:
                message = f"{json.dumps(user)} is no user of this host, expected a uid or a user name"
                problems.append(main.problem(path, message))
            elif owners.setdefault(uid, application.name) != application.name:
                message = (
                    f"{user} belongs to application {owners[uid]}, expected each user in one application"
                )
                problems.append(main.problem(path, message))
            else:
                uids.append(uid)
        resolved.append(_with_uids(application, tuple(uids)))
    return tuple(resolved)


def _with_uids(application: ApplicationFile, uids: tuple[int, ...]) -> Application:
    given = {key: getattr(application, key) for key in ApplicationFile.__struct_fields__}
    return Application(**{**given, "uids": uids})


def _uid(user: int | str) -> int | None:
    if isinstance(user, int):
        return user
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        return None


def resolved_jobs(jobs: Jobs, folder: FilePath) -> Jobs:
    """[jobs] with the path of the opt-outs absolute."""
    if jobs.opt_out_file is None:
        return jobs
    return msgspec.structs.replace(jobs, opt_out_file=str(folder / jobs.opt_out_file))


def resolved_lookup(lookup: LookupSettings, folder: FilePath) -> LookupSettings:
    """[lookup] with the path of its socket absolute."""
    return msgspec.structs.replace(lookup, socket=str(folder / lookup.socket))


def resolved_voice(voice: Voice, folder: FilePath) -> Voice:
    """With absolute folders of recordings and voices: the processes that speak start anywhere."""
    given = {"recordings": voice.speech.recordings, "piper_voices": voice.speech.piper_voices}
    absolute = {key: str(folder / name) for key, name in given.items() if name is not None}
    return msgspec.structs.replace(voice, speech=msgspec.structs.replace(voice.speech, **absolute))


def socket_path(main: Document, file: ConnectorFile, folder: FilePath, problems: list[Problem]) -> str | None:
    """The absolute path of the socket; None when socket activation supplies it."""
    if file.socket.path is None:
        return None
    path = str(folder / file.socket.path)
    length = len(os.fsencode(path))
    if length > _SOCKET_PATH_OCTETS:
        message = f"{path} has {length} octets, expected at most {_SOCKET_PATH_OCTETS} (unix(7))"
        problems.append(main.problem(("socket", "path"), message))
    return path


def state_folder(
    main: Document,
    file: ConnectorFile,
    folder: FilePath,
    environment: Mapping[str, str],
    notes: list[Problem],
) -> str:
    """The absolute state folder; "" with a note when neither the file nor the environment has one."""
    if file.state.folder is not None:
        return str(folder / file.state.folder)
    # systemd.exec(5): several state directories are separated by colons.
    found = environment.get("STATE_DIRECTORY", "").partition(":")[0]
    if not found:
        message = "is not given and STATE_DIRECTORY is not set, expected one of them; systemd sets the latter"
        notes.append(main.problem(("state", "folder"), message, "config_missing_key"))
    return found
