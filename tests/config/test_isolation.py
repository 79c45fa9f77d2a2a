import pytest

from connector.config import Problem, read_instance, shared_problems

from .conftest import Folder, MakeFolder
from .trunk_folder import TRUNK


def pair(make_folder: MakeFolder) -> tuple[Folder, Folder]:
    """Two lanes that share nothing."""
    first, second = make_folder("a"), make_folder("b")
    second.edit("connector.toml", 'lane = "verification"', 'lane = "marketing"')
    second.edit("connector.toml", "9464", "9465")
    second.edit("connector.toml", 'senders = ["Acme", "60312"]', 'senders = ["News"]')
    second.edit("connector.toml", 'default_sender = "Acme"', 'default_sender = "News"')
    second.edit("carriers/north.toml", '"acme"', '"acme_promo"')
    return first, second


def shared(first: Folder, second: Folder) -> list[Problem]:
    instances = [read_instance(folder.path, {}) for folder in (first, second)]
    assert [instance.problems for instance in instances] == [(), ()]
    return shared_problems(instances)


def test_two_lanes_that_share_nothing(make_folder: MakeFolder) -> None:
    assert shared(*pair(make_folder)) == []


def test_no_port_is_listened_on_twice(make_folder: MakeFolder) -> None:
    first, second = pair(make_folder)
    outbind = '[outbind]\nlisten = "0.0.0.0:9465"\nallow = ["192.0.2.1"]\n[binds]'
    first.edit("carriers/north.toml", "[binds]", outbind)
    (problem,) = shared(first, second)
    assert problem.key == "http.listen"
    assert "the port 9465 belongs to" in problem.message


@pytest.mark.parametrize("host", ["2001:db8::1", "2001:DB8::1"])
def test_a_standby_address_is_the_carriers_too(make_folder: MakeFolder, host: str) -> None:
    first, second = pair(make_folder)
    first.edit("carriers/north.toml", "port = 2775", 'port = 2775\nstandby = ["[2001:db8::1]:2775"]')
    second.edit("carriers/north.toml", '"smsc.example"', f'"{host}"')
    second.edit("carriers/north.toml", '"acme_promo"', '"acme"')
    (problem,) = shared(first, second)
    assert "the carrier account acme at " in problem.message


MAIN = "connector.toml"
CARRIER = "carriers/north.toml"
CASES = [
    (MAIN, "127.0.0.1:9465", "127.0.0.2:9464", 14, "http.listen", "the port 9464 belongs to", 14),
    (MAIN, '["News"]', '["News", "ACME"]', 17, "jobs.senders[1]", "the sender id ACME belongs to", 17),
    (MAIN, '["News"]', '["News", "+60312"]', 17, "jobs.senders[1]", "the sender id +60312 belongs to", 17),
    (MAIN, "uids = [2001]", 'uids = [2001]\ninbound = ["*", "60312"]', 9, "application[0].inbound[1]",
     "the sender id 60312 belongs to", 17),
    (MAIN, "run/jobs.sock", "../b/../a/run/jobs.sock", 4, "socket.path", "the socket ", 4),
    (MAIN, '"state"', '"../a/state/"', 11, "state.folder", "the state folder ", 11),
    (MAIN, '"state"', '"../a/state/deeper"', 11, "state.folder", "lie in one another", 11),
    (MAIN, '"state"', '".."', 11, "state.folder", "lie in one another", 11),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "line", "key", "says", "owner_line"), CASES)
def test_one_thing_shared(
    make_folder: MakeFolder, file: str, old: str, new: str, line: int, key: str, says: str, owner_line: int
) -> None:
    first, second = pair(make_folder)
    second.edit(file, old, new)
    (problem,) = shared(first, second)
    assert (problem.code, problem.file, problem.line) == ("config_shared", str(second.path / file), line)
    assert problem.key == key
    assert says in problem.message
    assert f"{first.path / file}:{owner_line}" in problem.message


@pytest.mark.parametrize(
    ("host", "port"), [("smsc.example", 2775), ("SMSC.Example", 9000), ("smsc.example.", 2775)]
)
def test_one_carrier_account_whatever_the_port(make_folder: MakeFolder, host: str, port: int) -> None:
    first, second = pair(make_folder)
    second.edit(CARRIER, '"acme_promo"', '"acme"')
    second.edit(CARRIER, "smsc.example", host)
    second.edit(CARRIER, "2775", str(port))
    (problem,) = shared(first, second)
    assert problem.key == "account.system_id"
    assert f"the carrier account acme at {host} belongs to {first.path / CARRIER}:4 too" in problem.message


def test_a_carrier_that_is_switched_off_still_owns_its_account(make_folder: MakeFolder) -> None:
    first, second = pair(make_folder)
    text = (first.path / CARRIER).read_text()
    second.write("carriers/old.toml", "enabled = false\n" + text)
    assert [problem.key for problem in shared(first, second)] == ["account.system_id"]


def test_state_folders_joined_by_a_link(make_folder: MakeFolder) -> None:
    first, second = pair(make_folder)
    (first.path / "state").mkdir()
    (second.path / "state").symlink_to(first.path / "state")
    assert [problem.key for problem in shared(first, second)] == ["state.folder"]


def test_two_files_for_one_account_in_one_lane(folder: Folder) -> None:
    folder.write("carriers/again.toml", (folder.path / CARRIER).read_text().replace("smsc.ex", "SMSC.ex"))
    (problem,) = read_instance(folder.path, {}).problems
    assert (problem.file, problem.line) == (str(folder.path / CARRIER), 4)
    assert f"is the account of {folder.path}/carriers/again.toml:4 too" in problem.message
    # What is switched off counts no rate.
    folder.edit("carriers/again.toml", "[account]", "enabled = false\n[account]")
    assert read_instance(folder.path, {}).problems == ()


@pytest.mark.parametrize(
    ("standby", "fault"), [("smsc.example.:2775", True), ("smsc.example:2776", False), ("[::1]:2775", False)]
)
def test_a_standby_address_is_another_files_account(folder: Folder, standby: str, fault: bool) -> None:
    text = (folder.path / CARRIER).read_text().replace("smsc.example", "smsc2.example")
    folder.write("carriers/two.toml", text.replace("port = 2775", f'port = 2775\nstandby = ["{standby}"]'))
    problems = read_instance(folder.path, {}).problems
    assert [problem.key for problem in problems] == ["account.system_id"] * fault


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sip.example", "SIP.example."),
        ('"sip.example"', '"sip.example"\nport = 5060'),
        ('"sip.example"', '"sip2.example"\nstandby = ["Sip.Example"]'),
    ],
)
def test_two_files_for_one_trunk_account(folder: Folder, old: str, new: str) -> None:
    folder.write("secrets/west", "s3cret", 0o600)
    folder.write("trunks/west.toml", TRUNK)
    folder.write("trunks/west2.toml", TRUNK.replace("+4930123456", "+4930123457").replace(old, new))
    (problem,) = read_instance(folder.path, {}).problems
    assert (problem.key, problem.file) == ("trunk.host", str(folder.path / "trunks/west2.toml"))


def test_neighbouring_names_are_not_nested(make_folder: MakeFolder) -> None:
    first, second = pair(make_folder)
    second.edit(MAIN, '"state"', '"../a/state2"')
    assert shared(first, second) == []


OUTBIND = '[outbind]\nlisten = "0.0.0.0:9999"\nallow = ["192.0.2.1"]\n[binds]'
OUTBIND_PASSWORD = OUTBIND.replace("[binds]", 'password_file = "../a/secrets/north"\n[binds]')
OFF = "carriers/off.toml"
TLS = """enabled = false
[account]
host = "off.example"
port = 2775
system_id = "{0}"
[tls]
certificate_file = "ours.pem"
key_file = "{1}/ours.key"
[binds]
tps = 1
"""
NOBODY = TRUNK.replace('username = "acme"\npassword_file = "secrets/west"\n', "")
MARKETING_TRUNK = (
    TRUNK.replace('"acme"', '"promo"').replace("+4930123456", "+4930999999").replace("sip.ex", "other.ex")
)

# What the first lane's files have in place of `old`, and the second's; the thing both then claim, and where.
LEAKS = [
    ("carrier account", CARRIER, ("smsc.example", "SMSC.Example."), CARRIER, ('"acme_promo"', '"acme"'),
     "carriers/north.toml:4", "carriers/north.toml:4"),
    ("carrier account", CARRIER, ("port = 2775", 'port = 1\nstandby = ["b.example:1"]'),
     CARRIER, ('"smsc.example"\nport = 2775\nsystem_id = "acme_promo"',
               '"B.example."\nport = 7\nsystem_id = "acme"'),
     "carriers/north.toml:5", "carriers/north.toml:4"),
    ("carrier account", CARRIER, ("smsc.example", "2001:db8::1"),
     CARRIER, ('"smsc.example"\nport = 2775\nsystem_id = "acme_promo"',
               '"2001:DB8:0::0001"\nport = 2775\nsystem_id = "acme"'),
     "carriers/north.toml:4", "carriers/north.toml:4"),
    ("trunk account", "trunks/west.toml", ("", TRUNK),
     "trunks/west.toml", ("", MARKETING_TRUNK.replace("promo", "acme").replace("other.ex", "SIP.EX")),
     "trunks/west.toml:3", "trunks/west.toml:3"),
    ("trunk account", "trunks/west.toml", ("", TRUNK),
     "trunks/west.toml", ("", MARKETING_TRUNK.replace('"promo"', '"acme"\nstandby = ["sip.example:5070"]')),
     "trunks/west.toml:3", "trunks/west.toml:3"),
    ("trunk account", "trunks/west.toml", ("", TRUNK),
     "trunks/west.toml", ("", MARKETING_TRUNK.replace('"promo"', '"acme"\ndomain = "sip.example"')),
     "trunks/west.toml:3", "trunks/west.toml:3"),
    ("trunk account", "trunks/west.toml", ("", NOBODY), "trunks/west.toml",
     ("", NOBODY.replace("+4930123456", "+4930999999").replace("sip.ex", "SIP.ex")),
     "trunks/west.toml:2", "trunks/west.toml:2"),
    ("sender id", "trunks/west.toml", ("", TRUNK),
     "trunks/west.toml", ("", MARKETING_TRUNK.replace("+4930999999", "+4930123456")),
     "trunks/west.toml:9", "trunks/west.toml:9"),
    ("sender id", "trunks/west.toml", ("", TRUNK),
     MAIN, ("uids = [2001]", 'uids=[1]\ninbound = ["4930123456"]'),
     "trunks/west.toml:9", "connector.toml:9"),
    ("sender id", CARRIER, ("[binds]", '[source]\nreplace = { "Acme" = "NEWS" }\n[binds]'), MAIN, None,
     "carriers/north.toml:8", "connector.toml:17"),
    ("port", CARRIER, ("[binds]", OUTBIND), MAIN, ("9465", "9999"),
     "carriers/north.toml:8", "connector.toml:14"),
    ("port", CARRIER, ("[binds]", OUTBIND), CARRIER, ("[binds]", OUTBIND),
     "carriers/north.toml:8", "carriers/north.toml:8"),
    ("secret", MAIN, None, CARRIER, ("secrets/north", "../a/secrets/north"),
     "carriers/north.toml:5", "carriers/north.toml:5"),
    ("secret", MAIN, None, CARRIER, ("secrets/north", "secrets/link"),
     "carriers/north.toml:5", "carriers/north.toml:5"),
    ("secret", MAIN, None, CARRIER, ("secrets/north", "secrets/hard"),
     "carriers/north.toml:5", "carriers/north.toml:5"),
    ("secret", "trunks/west.toml", ("", TRUNK),
     "trunks/west.toml", ("", MARKETING_TRUNK.replace("secrets/west", "../a/secrets/west")),
     "trunks/west.toml:4", "trunks/west.toml:4"),
    ("secret", MAIN, None, CARRIER, ("[binds]", OUTBIND_PASSWORD),
     "carriers/north.toml:5", "carriers/north.toml:10"),
    ("secret", OFF, ("", TLS.format("old", "secrets")), OFF, ("", TLS.format("older", "../a/secrets")),
     "carriers/off.toml:8", "carriers/off.toml:8"),
    ("secret", CARRIER, ("secrets/north", "../a/credentials/north"),
     CARRIER, ('password_file = "secrets/north"', 'password_credential = "secret_north"'),
     "carriers/north.toml:5", "carriers/north.toml:5"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "file", "edit", "other", "other_edit", "first_at", "second_at"), LEAKS)
def test_a_leak_of_each_kind(
    make_folder: MakeFolder,
    kind: str,
    file: str,
    edit: tuple[str, str] | None,
    other: str,
    other_edit: tuple[str, str] | None,
    first_at: str,
    second_at: str,
) -> None:
    first, second = pair(make_folder)
    for folder, ports in ((first, "20_000, 20_999"), (second, "21_000, 21_999")):
        folder.write("secrets/west", "s3cret", 0o600)
        text = (folder.path / MAIN).read_text()
        folder.write(MAIN, f"{text}\n[voice]\nrtp_ports = [{ports}]\n")
    (second.path / "secrets/link").symlink_to(first.path / "secrets/north")
    (second.path / "secrets/hard").hardlink_to(first.path / "secrets/north")
    first.write("credentials/north", "s3cret", 0o600)
    (second.path / "credentials").symlink_to(first.path / "credentials")
    for folder, name, change in ((first, file, edit), (second, other, other_edit)):
        if change is not None and change[0] == "":
            folder.write(name, change[1])
        elif change is not None:
            folder.edit(name, *change)
    instances = [read_instance(folder.path, {}) for folder in (first, second)]
    assert [instance.problems for instance in instances] == [(), ()]
    (problem,) = shared_problems(instances)
    assert problem.code == "config_shared"
    assert problem.message.startswith(f"the {kind} ")
    assert f"{problem.file}:{problem.line}" == f"{second.path}/{second_at}"
    assert f"belongs to {first.path}/{first_at} too" in problem.message
    (other_way_round,) = shared_problems(instances[::-1])
    assert f"{other_way_round.file}:{other_way_round.line}" == f"{first.path}/{first_at}"
    assert f"belongs to {second.path}/{second_at} too" in other_way_round.message


def with_trunks(make_folder: MakeFolder, voice: str, other_voice: str) -> list[Problem]:
    """What two lanes with trunks share, whose [voice] are these."""
    first, second = pair(make_folder)
    for folder, text, trunk in ((first, voice, TRUNK), (second, other_voice, MARKETING_TRUNK)):
        folder.write("secrets/west", "s3cret", 0o600)
        folder.write("trunks/west.toml", trunk)
        folder.write(MAIN, (folder.path / MAIN).read_text() + f"\n[voice]\n{text}\n")
    return shared(first, second)


@pytest.mark.parametrize(
    ("voice", "other_voice", "key", "says"),
    [
        ("rtp_ports = [20_000, 20_999]", "rtp_ports = [21_000, 21_999]", "", ""),
        ("rtp_ports = [20_000, 20_999]", "rtp_ports = [20_999, 21_999]", "voice.rtp_ports",
         "the RTP range 20999 to 21999 overlaps with the RTP range 20000 to 20999 of"),
        ("", "rtp_ports = [25_000, 25_999]", "voice.rtp_ports",
         "overlaps with the RTP range 20000 to 29999 of"),
        ("rtp_ports = [20_000, 20_999]", "rtp_ports = [20_000, 20_999]", "voice.rtp_ports", "belongs to"),
        ('rtp_ports = [20_000, 20_999]\nlisten = "192.0.2.1:5060"',
         'rtp_ports = [21_000, 21_999]\nlisten = "0.0.0.0:5060"', "voice.listen", "the port 5060 belongs to"),
        ('rtp_ports = [20_000, 20_999]\nlisten = "192.0.2.1:21500"',
         "rtp_ports = [21_000, 21_999]", "voice.rtp_ports", "overlaps with the port 21500 of"),
        ("rtp_ports = [20_000, 20_999]", 'rtp_ports = [21_000, 21_999]\nlisten = "0.0.0.0:20500"',
         "voice.listen", "the port 20500 overlaps with the RTP range 20000 to 20999 of"),
        ('rtp_ports = [20_000, 20_999]\nlisten = "0.0.0.0:0"',
         'rtp_ports = [21_000, 21_999]\nlisten = "0.0.0.0:0"', "", ""),
        ("rtp_ports = [20_000, 20_999]", 'rtp_ports = [21_000, 21_999]\nlisten = "0.0.0.0:9464"',
         "voice.listen", "the port 9464 belongs to"),
    ],
)  # fmt: skip
def test_ports_of_calls(make_folder: MakeFolder, voice: str, other_voice: str, key: str, says: str) -> None:
    problems = with_trunks(make_folder, voice, other_voice)
    assert [problem.key for problem in problems] == ([key] if key else [])
    assert all(says in problem.message and "/a/connector.toml:" in problem.message for problem in problems)


def test_what_the_units_supply_belongs_to_the_folder_of_that_name(make_folder: MakeFolder) -> None:
    first, second = pair(make_folder)
    first.edit(MAIN, 'path = "run/jobs.sock"', "")
    first.edit(MAIN, 'folder = "state"', "")
    second.edit(MAIN, "run/jobs.sock", "/run/connector/a.sock")
    second.edit(MAIN, '"state"', '"/var/lib/connector"')
    instances = [read_instance(folder.path, {}) for folder in (first, second)]
    problems = shared_problems(instances)
    assert {problem.key for problem in problems} == {"socket.path", "state.folder"}
    assert all(f"{first.path / MAIN}:" in problem.message for problem in problems)


def test_instances_of_one_lane_share_nothing_either(make_folder: MakeFolder) -> None:
    first, second = pair(make_folder)
    second.edit(MAIN, 'lane = "marketing"', 'lane = "verification"')
    assert shared(first, second) == []
    second.edit(CARRIER, '"acme_promo"', '"acme"')
    assert [problem.key for problem in shared(first, second)] == ["account.system_id"]


def test_every_leak_is_told_not_only_the_first(make_folder: MakeFolder) -> None:
    first, second = make_folder("a"), make_folder("b")
    assert [problem.key for problem in shared(first, second)] == [
        "http.listen", "account.system_id", "jobs.senders[0]", "jobs.senders[1]",
    ]  # fmt: skip
    third = make_folder("c")
    problems = shared_problems([read_instance(folder.path, {}) for folder in (first, second, third)])
    assert len(problems) == 8


def test_what_may_be_shared(make_folder: MakeFolder) -> None:
    first, second = pair(make_folder)
    recordings = '\n[voice.speech]\nrecordings = "../recordings"\n'
    for folder in (first, second):
        folder.write("../opt-out.txt", "+4915112345678\n")
        folder.edit(MAIN, "[jobs]", '[jobs]\nopt_out_file = "../opt-out.txt"')
        folder.write(
            MAIN, (folder.path / MAIN).read_text() + recordings + '[lookup]\nsocket = "/run/mnp.sock"\n'
        )
        folder.edit(CARRIER, "[binds]", '[tls]\nca_file = "../ca.pem"\n[binds]\n')
    instances = [read_instance(folder.path, {}) for folder in (first, second)]
    assert shared_problems(instances) == []
