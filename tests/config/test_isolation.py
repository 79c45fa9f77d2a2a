import pytest

from connector.config import Problem, read_instance, shared_problems

from .conftest import Folder, MakeFolder


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


def test_two_accounts_in_one_lane_are_that_lanes_affair(make_folder: MakeFolder) -> None:
    first, second = pair(make_folder)
    first.write("carriers/again.toml", (first.path / CARRIER).read_text())
    assert shared(first, second) == []


def test_neighbouring_names_are_not_nested(make_folder: MakeFolder) -> None:
    first, second = pair(make_folder)
    second.edit(MAIN, '"state"', '"../a/state2"')
    assert shared(first, second) == []
