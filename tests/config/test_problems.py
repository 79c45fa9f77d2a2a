"""Each kind of mistake: the file, the line, the key, what is wrong, what is expected, and the near name."""

from pathlib import Path

import pytest

from connector.config import ConfigError, load, read_instance

from .conftest import Folder

MAIN = "connector.toml"
CARRIER = "carriers/north.toml"
TEMPLATE = "templates/login-code.toml"

CASES = [
    # a spelling mistake, with the near name
    (MAIN, 'path = "run/jobs.sock"', 'pth = "x"', 4, "socket.pth",
     'unknown key, expected one of path, mode, max_connections, max_frame_bytes, did you mean "path"?'),
    # a key in the wrong table
    (MAIN, 'lane = "verification"', 'lane = "verification"\nmax_parts = 3', 2, "max_parts",
     'did you mean "jobs.max_parts"?'),
    (MAIN, 'listen = "127.0.0.1:9464"', 'listen = "9464"', 14, "http.listen",
     '"9464" is not allowed here, expected an address and a port such as'),
    (MAIN, ":9464", ":99999", 14, "http.listen", "port 99999 is not allowed here, expected 1 to 65535"),
    (MAIN, 'lane = "verification"', 'lane = "Codes"', 1, "lane",
     '"Codes" is not allowed here, expected a lane name'),
    (MAIN, 'lane = "verification"', "lane = '''a\n'''", 1, "lane", "expected a lane name"),
    (MAIN, 'name = "login"\n', "", 6, "application[0].name", "is missing, expected a name"),
    (MAIN, "uids = [2001]", "uids = []", 8, "application[0].uids", "expected a list of uids or user names"),
    (MAIN, "uids = [2001]", "uids = [\n2001,\n-5]", 10, "application[0].uids[1]", "-5 is not allowed here"),
    (MAIN, "uids = [2001]", 'uids = ["no-such-user"]', 8, "application[0].uids[0]",
     '"no-such-user" is no user of this host, expected a uid or a user name'),
    (MAIN, 'senders = ["Acme"', 'senders = ["Acme", "acme"', 17, "jobs.senders[1]", '"acme" repeats entry 0'),
    (MAIN, 'senders = ["Acme"', 'senders = ["Much too long a name"', 17, "jobs.senders[0]",
     "expected a sender id"),
    (MAIN, 'default_sender = "Acme"', 'default_sender = "Acne"', 18, "jobs.default_sender",
     '"Acne" is not in [jobs] senders, expected one of them (Acme, 60312), did you mean "Acme"?'),
    (MAIN, 'default_sender = "Acme"', "", 16, "jobs.default_sender", "is missing, expected one of `senders`"),
    (MAIN, "uids = [2001]", 'uids = [2001]\nsenders = ["Other"]', 9, "application[0].senders[0]",
     '"Other" is not in [jobs] senders'),
    (MAIN, "[jobs]", "[jobs]\ndefault_deadline_s = 90_000", 17, "jobs.default_deadline_s",
     "90000 exceeds max_deadline_s, expected at most 86400"),
    (MAIN, "[jobs]", "[jobs]\nreceipt_wait_s = nan", 17, "jobs.receipt_wait_s", "nan is not allowed here"),
    (MAIN, "[jobs]", "[jobs]\nmax_parts = 3.0", 17, "jobs.max_parts",
     "3.0 is not allowed here, expected a whole"),
    (MAIN, "[jobs]", "[jobs]\nfree_text = 1", 17, "jobs.free_text",
     "1 is not allowed here, expected true or false"),
    (MAIN, "[jobs]", '[log]\nlevel = "warn"\n[jobs]', 17, "log.level", 'did you mean "warning"?'),
    (MAIN, "[state]", '[[application]]\nname = "login"\nuids = [1]\n[state]', 11, "application[1].name",
     "is the name of application[0] too"),
    (MAIN, "[state]", '[[application]]\nname = "other"\nuids = [1, 2001]\n[state]', 12,
     "application[1].uids[1]",
     "2001 belongs to application login, expected each user in one application"),
    (MAIN, "uids = [2001]", 'uids = [2001]\ninbound = ["12"]', 9, "application[0].inbound[0]",
     '"12" is not allowed here, expected a number of 3 to 15 digits, or "*"'),
    (MAIN, "[state]",
     'inbound = ["4477009", "*"]\n[[application]]\nname = "b"\nuids = [1]\ninbound = ["+4477009"]\n[state]',
     14, "application[1].inbound[0]",
     '"4477009" belongs to application login already, expected each number once'),
    (MAIN, "[state]",
     'inbound = ["*"]\n[[application]]\nname = "other"\nuids = [1]\ninbound = ["*"]\n[state]', 14,
     "application[1].inbound[0]", '"*" belongs to application login already'),
    (MAIN, "[jobs]", "[inbound]\nparts_wait_s = 0\n[jobs]", 17, "inbound.parts_wait_s", "0 is not allowed"),
    (MAIN, "run/jobs.sock", "x" * 107, 4, "socket.path", "octets, expected at most 107 (unix(7))"),
    (MAIN, "[http]", "[http", 13, "(file)", "is not TOML: "),
    (MAIN, "[http]", 'lane = "unclosed', 13, "(file)", "is not TOML: "),
    (CARRIER, 'password_file = "secrets/north"', 'password = "s3cret"', 5, "account.password",
     "a password may not stand in the file, expected `password_file` (a path) or `password_credential`"),
    (CARRIER, 'password_file = "secrets/north"', "", 1, "account.password_file",
     "neither is there, expected either `password_file` or `password_credential`"),
    (CARRIER, 'password_file = "secrets/north"', 'password_file = "a"\npassword_credential = "b"', 5,
     "account.password_file", "both are there"),
    (CARRIER, "secrets/north", "secrets/south", 5, "account.password_file",
     "secrets/south cannot be read: No such"),
    (CARRIER, "tps = 100\n", "", 7, "binds.tps", "is missing, expected PDUs a second"),
    (CARRIER, "tps = 100", "tps = 100\nresponse_timeout = 3", 9, "binds.response_timeout",
     'did you mean "response_timeout_s"?'),
    (CARRIER, "port = 2775", 'port = "2775"', 3, "account.port",
     '"2775" is not allowed here, expected a port'),
    (CARRIER, '"acme"', '"a-system-id-of-17"', 4, "account.system_id", "1 to 15 printable ASCII characters"),
    (CARRIER, "[binds]", "[backoff]\ninitial_s = 90\n[binds]", 8, "backoff.initial_s", "90 exceeds max_s"),
    (CARRIER, "[binds]", '[receipts.states]\nACCEPTD = "final_deliverd"\n[binds]', 8,
     "receipts.states.ACCEPTD", 'did you mean "final_delivered"?'),
    (CARRIER, "[binds]", '[receipts.states]\nacceptd = "non_final"\n[binds]', 8, "receipts.states.acceptd",
     "expected a state word in capitals"),
    (CARRIER, "[binds]", '[statuses]\n"1035" = "permanent"\n[binds]', 8, "statuses.1035",
     "expected a command_status such as"),
    (CARRIER, "[binds]", '[text]\nnational_tables = ["xx"]\n[binds]', 8, "text.national_tables[0]",
     "expected one of"),
    (CARRIER, "[binds]", '[[tlvs]]\nname = "a"\ntag = 0x1400\ntype = "digits"\n[binds]', 7, "tlvs[0]",
     "expected exactly one"),
    (CARRIER, "[binds]", '[[tlvs]]\nname = "a"\ntag = 5\ntype = "digits"\nvalue = "1x"\n[binds]', 11,
     "tlvs[0].value", "expected digits"),
    (CARRIER, "[binds]", '[[tlvs]]\nname = "a"\ntag = 5\ntype = "uint8"\nvalue = "256"\n[binds]', 11,
     "tlvs[0].value", "expected a whole number of 1 octets"),
    (MAIN, "[jobs]", '[jobs]\non_unknown = "query"', 17, "jobs.on_unknown", "expected a carrier with"),
    (CARRIER, "[binds]", '[[limits]]\ntps = 5\n[binds]', 7, "limits[0]", "expected exactly one"),
    (CARRIER, "[binds]", '[tls]\ncertificate_file = "a"\n[binds]', 8, "tls.certificate_file",
     "expected both"),
    (CARRIER, "[binds]", '[outbind]\nlisten = "1.2.3.4:1"\nallow = ["a.example"]\n[binds]', 9,
     "outbind.allow[0]", "expected an IP address or network"),
    (CARRIER, "port = 2775", 'port = 2775\nstandby = ["a.example"]', 4, "account.standby[0]",
     "expected HOST:PORT"),
    (CARRIER, "port = 2775", 'port = 2775\nstandby = ["a.example:1", "b.example:65536"]', 4,
     "account.standby[1]", '"b.example:65536" has no such port'),
    (CARRIER, "[binds]", '[outbind]\nlisten = "1.2.3.4:0"\nallow = ["192.0.2.1"]\n[binds]', 8,
     "outbind.listen", "expected 1 to 65535"),
    (CARRIER, "[binds]", '[outbind]\nlisten = "1.2.3.4:1"\nallow = ["192.0.2.1", "192.0.2.1/24"]\n[binds]', 9,
     "outbind.allow[1]", "has host bits set"),
    (CARRIER, "[binds]", '[outbind]\nlisten = "1.2.3.4:1"\nallow = ["192.0.2.999"]\n[binds]', 9,
     "outbind.allow[0]", "expected an IP address"),
    (CARRIER, "[binds]", '[tls]\n[outbind]\nlisten = "1.2.3.4:1"\nallow = ["192.0.2.1"]\n[binds]', 8,
     "outbind", "not possible with [tls]"),
    (CARRIER, "[binds]", '[statuses]\n"0x0" = "transient"\n[binds]', 8, "statuses.0x0", "is success"),
    (CARRIER, "[binds]", '[statuses]\n"0x45" = "transient"\n"0x00000045" = "permanent"\n[binds]', 9,
     "statuses.0x00000045", "is the same status as 0x45"),
    (CARRIER, "[binds]",
     '[text]\nalphabets = [{data_coding = 0, codec = "gsm7"}, {data_coding = 0, codec = "latin1"}]\n[binds]',
     8, "text.alphabets[1].data_coding", "repeats the data_coding of entry 0"),
    (CARRIER, "[binds]",
     '[text]\nnational_tables = ["hi"]\nalphabets = [{ data_coding = 8, codec = "ucs2" }]\n[binds]', 8,
     "text.national_tables", "has no use without the GSM alphabet"),
    (CARRIER, "[binds]",
     '[text]\nalphabets = [{ data_coding = 0, codec = "gsm7" }]\nsubstitutions = { "’" = "‘" }\n[binds]', 9,
     'text.substitutions."’"', "no alphabet of this carrier has it"),
    (CARRIER, "[binds]",
     '[[tlvs]]\nname = "a"\ntag = 0x0424\ntype = "octets"\nvalue = "00"\n[binds]', 9, "tlvs[0].tag",
     "message_payload is set by the connector itself"),
    (CARRIER, "[binds]", '[[limits]]\nsender = "Acne"\ntps = 5\n[binds]', 8, "limits[0].sender",
     'did you mean "Acme"?'),
    (CARRIER, "[binds]", '[source.replace]\nAcne = "12345"\n[binds]', 8, "source.replace.Acne",
     'did you mean "Acme"?'),
    (CARRIER, "[binds]",
     '[[limits]]\ndestination = "+91"\ntps = 5\n[[limits]]\ndestination = "+91"\ntps = 6\n[binds]', 10,
     "limits[1]", "is for the same as entry 0"),
    (CARRIER, "[binds]", "[source]\nnumeric = {ton = 1}\n[binds]", 8, "source.numeric.npi", "is missing"),
    (MAIN, 'folder = "state"', r'"two\nlines" = 1', 11, r'state."two\nlines"', "unknown key"),
    (MAIN, 'folder = "state"', r'folder = "a\u0000"', 11, "state.folder", "expected a path"),
    (MAIN, "uids = [2001]", r'uids = ["a\u0000"]', 8, "application[0].uids[0]", "expected a uid or a"),
    (TEMPLATE, "{code} ist", r"{a\n} ist", 7, "text.de", r'"{a\n}" is no variable'),
    (TEMPLATE, "{code} ist", "{cod} ist", 7, "text.de", '{cod} has no [params.cod], expected a declared'),
    (TEMPLATE, "{code} ist", "Dies ist", 7, "text.de",
     "does not use {code}, expected every parameter in every"),
    (TEMPLATE, "{code} ist", "{code!r} ist", 7, "text.de", '"{code}" is no variable'),
    (TEMPLATE, "{code} ist", "{code ist", 7, "text.de", "expected '}' before end of string"),
    (TEMPLATE, 'default_lang = "en"', 'default_lang = "fr"', 3, "default_lang",
     '"fr" has no text, expected one of'),
    (TEMPLATE, "\nde = ", "\nEN = ", 7, "text.EN", "is the same language as en"),
    (TEMPLATE, "\nde = ", "\nde_DE = ", 7, "text.de_DE", "expected a BCP 47 language tag"),
    (TEMPLATE, 'kind = "digits"', 'kind = "digit"', 10, "params.code.kind", 'did you mean "digits"?'),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "line", "key", "says"), CASES)
def test_one_mistake(folder: Folder, file: str, old: str, new: str, line: int, key: str, says: str) -> None:
    folder.edit(file, old, new)
    problems = read_instance(folder.path, {}).problems
    assert [problem for problem in problems if problem.key == key], problems
    found = next(problem for problem in problems if problem.key == key)
    assert says in found.message
    assert str(found).startswith(f"{folder.path / file}:{line}: {key}: ")
    assert "\n" not in str(found)


def test_all_problems_of_all_files_at_once(folder: Folder) -> None:
    folder.edit(MAIN, "[jobs]", "[jobs]\nmax_prts = 1\nfree_text = 0")
    folder.edit(CARRIER, "port = 2775", "port = 0")
    folder.edit(TEMPLATE, "max_length = 8", "")
    with pytest.raises(ConfigError) as error:
        load(folder.path, {})
    assert [problem.key for problem in error.value.problems] == [
        "jobs.max_prts",
        "jobs.free_text",
        "account.port",
        "params.code.max_length",
    ]
    assert len(str(error.value).splitlines()) == 4


def test_no_problem_repeats_a_password(folder: Folder) -> None:
    folder.edit(CARRIER, 'password_file = "secrets/north"', 'password = "hunter22"')
    assert "hunter22" not in repr(read_instance(folder.path, {}))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read(folder: Folder, mode: int) -> None:
    (folder.path / "secrets/north").chmod(mode)
    (problem,) = read_instance(folder.path, {}).problems
    assert (problem.code, problem.line, problem.key) == ("config_secret", 5, "account.password_file")
    assert f"(mode {mode:04o}), expected mode 0600 or less" in problem.message


KEY = '[tls]\ncertificate_file = "own.pem"\nkey_file = "own.key"\n[binds]'
OUTBIND = '[outbind]\nlisten = "1.2.3.4:1"\nallow = ["192.0.2.1"]\npassword_file = "outbind"\n[binds]'


def test_a_private_key_that_others_can_read(folder: Folder) -> None:
    folder.edit(CARRIER, "[binds]", KEY)
    folder.write("own.key", "x", 0o644)
    problems = read_instance(folder.path, {}).problems
    assert [p.line for p in problems if "(mode 0644), expected mode 0600 or less" in p.message] == [9]
    (folder.path / "own.key").chmod(0o600)
    assert not any("mode 0" in problem.message for problem in read_instance(folder.path, {}).problems)


def test_the_password_of_an_outbind(folder: Folder) -> None:
    folder.edit(CARRIER, "[binds]", OUTBIND)
    (problem,) = read_instance(folder.path, {}).problems
    assert problem.key == "outbind.password_file"
    assert "cannot be read" in problem.message
    folder.write("outbind", "secret", 0o640)
    (problem,) = read_instance(folder.path, {}).problems
    assert "(mode 0640), expected mode 0600 or less" in problem.message


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "holds 0 octets"), ("123456789", "holds 9 octets"), ("a\nb", "several lines"), ("a\0b", "a NUL")],
)
def test_a_secret_that_cannot_be_a_password(folder: Folder, content: str, says: str) -> None:
    folder.write("secrets/north", content, 0o600)
    (problem,) = read_instance(folder.path, {}).problems
    assert says in problem.message


def test_an_unreadable_file(folder: Folder) -> None:
    # root may read every file, whatever its mode; nobody can read a folder as one.
    (folder.path / CARRIER).unlink()
    (folder.path / CARRIER).mkdir()
    (problem,) = read_instance(folder.path, {}).problems
    assert problem.code == "config_unreadable"
    assert "cannot be read: Is a directory, expected a readable TOML file" in problem.message


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = read_instance(tmp_path / "absent", {}).problems
    assert (
        str(problem) == f"{tmp_path}/absent:1: (folder): is no folder, expected one with connector.toml in it"
    )


def test_no_connector_toml(folder: Folder) -> None:
    (folder.path / MAIN).unlink()
    (problem,) = read_instance(folder.path, {}).problems
    assert str(problem).startswith(f"{folder.path}/connector.toml:1: (file): cannot be read: No such file")


def test_no_carriers_folder(folder: Folder) -> None:
    (folder.path / CARRIER).unlink()
    (folder.path / "carriers").rmdir()
    (problem,) = read_instance(folder.path, {}).problems
    assert (problem.file, problem.code) == (f"{folder.path}/carriers", "config_unreadable")


@pytest.mark.parametrize("switched_off", [True, False])
def test_no_enabled_carrier(folder: Folder, switched_off: bool) -> None:
    if switched_off:
        folder.edit(CARRIER, "[account]", "enabled = false\n[account]")
    else:
        (folder.path / CARRIER).unlink()
    (problem,) = read_instance(folder.path, {}).problems
    assert (problem.code, problem.key) == ("config_no_carrier", "(folder)")


def test_bytes_that_are_not_utf8(folder: Folder) -> None:
    (folder.path / MAIN).write_bytes(b'lane = "x"\n# \xff\n')
    (problem,) = read_instance(folder.path, {}).problems
    assert (problem.line, problem.message) == (2, "is not UTF-8, expected TOML in UTF-8")


def test_a_nesting_nobody_writes(folder: Folder) -> None:
    folder.write(MAIN, "x = " + "[" * 20_000)
    (problem,) = read_instance(folder.path, {}).problems
    assert problem.code == "config_syntax"


def test_a_file_name_that_cannot_be_a_name(folder: Folder) -> None:
    folder.write("templates/Login Code.toml", (folder.path / TEMPLATE).read_text())
    (problem,) = read_instance(folder.path, {}).problems
    assert 'the file name "Login Code" cannot be a name' in problem.message
