"""The journal's tables, and the way from every earlier version to this one.

`PRAGMA user_version` counts the entries of MIGRATIONS that a file has been through. An entry is never edited
once released: a change is a new entry.

Rows written for a message of one part that goes well: job (and its two indexes), attempt, part (and its
index), an update of part and of job. Events share one row a commit and application.
"""

from __future__ import annotations

from typing import Final

import apsw

__all__ = ["MIGRATIONS", "SchemaTooNew", "migrate"]

MIGRATIONS: Final[tuple[str, ...]] = (
    """
    CREATE TABLE app (
        id        INTEGER PRIMARY KEY,
        name      TEXT NOT NULL UNIQUE,
        last_seq  INTEGER NOT NULL DEFAULT 0,  -- of the newest event
        cursor    INTEGER NOT NULL DEFAULT 0   -- events up to here are the application's
    ) STRICT;

    CREATE TABLE account (
        id    INTEGER PRIMARY KEY,
        name  TEXT NOT NULL UNIQUE             -- host|system_id: message ids are unique within it
    ) STRICT;

    CREATE TABLE job (
        id           INTEGER PRIMARY KEY,
        app          INTEGER NOT NULL,
        ext          TEXT NOT NULL,            -- the application's own id
        digest       TEXT NOT NULL,            -- tells a repetition from a conflict after the body is wiped
        recipient    TEXT NOT NULL,
        accepted_at  REAL NOT NULL,
        deadline_at  REAL NOT NULL,
        give_up_at   REAL NOT NULL,            -- no receipt by then: unknown
        on_unknown   TEXT NOT NULL,
        traceparent  TEXT,
        body         TEXT,                     -- JSON of model.Content; NULL once the job is final
        outcome      TEXT,
        reason       TEXT,
        finished_at  REAL
    ) STRICT;
    CREATE UNIQUE INDEX job_ext ON job (app, ext);
    CREATE INDEX job_open ON job (give_up_at) WHERE outcome IS NULL;

    CREATE TABLE attempt (
        job       INTEGER NOT NULL,
        n         INTEGER NOT NULL,
        account   INTEGER NOT NULL,
        carrier   TEXT NOT NULL,
        parts     INTEGER NOT NULL,
        at        REAL NOT NULL,               -- the intent; the bytes leave after this commit
        decision  TEXT NOT NULL,               -- JSON: the candidates and the rule that chose
        result    TEXT,                        -- NULL while under way or sent, else of ops.Settle
        status    INTEGER,                     -- command_status of a refusal
        PRIMARY KEY (job, n)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE part (
        account     INTEGER NOT NULL,
        key         TEXT NOT NULL,             -- smpp.id_keys.stored_key of the message id, or ops.no_key
        job         INTEGER NOT NULL,
        attempt     INTEGER NOT NULL,
        part        INTEGER NOT NULL,
        parts       INTEGER NOT NULL,
        raw         TEXT NOT NULL,             -- message id as answered, hexadecimal of its octets
        sent_at     REAL NOT NULL,             -- of the submit_sm_resp
        state       TEXT,                      -- word of the latest receipt that counts
        result      TEXT,                      -- delivered or failed once a receipt was final
        receipt_at  REAL,
        receipt     TEXT,                      -- short_message as received, hexadecimal
        PRIMARY KEY (account, key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX part_job ON part (job);

    CREATE TABLE unresolved (                  -- attempts whose message id never came
        account    INTEGER NOT NULL,
        recipient  TEXT NOT NULL,
        job        INTEGER NOT NULL,
        attempt    INTEGER NOT NULL,
        PRIMARY KEY (account, recipient, job, attempt)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE parked (                      -- receipts that match nothing yet
        id       INTEGER PRIMARY KEY,
        account  INTEGER NOT NULL,
        carrier  TEXT NOT NULL,
        at       REAL NOT NULL,
        keys     TEXT NOT NULL,                -- JSON of smpp.id_keys.lookup_keys; [] for what is no receipt
        address  TEXT NOT NULL,
        state    TEXT NOT NULL,
        result   TEXT,
        raw      TEXT NOT NULL
    ) STRICT;
    CREATE INDEX parked_at ON parked (at);
    CREATE INDEX parked_address ON parked (account, address);
    CREATE TABLE parked_key (
        account  INTEGER NOT NULL,
        key      TEXT NOT NULL,
        parked   INTEGER NOT NULL,
        PRIMARY KEY (account, key, parked)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX parked_key_parked ON parked_key (parked);

    CREATE TABLE event (
        app     INTEGER NOT NULL,
        first   INTEGER NOT NULL,
        last    INTEGER NOT NULL,
        at      REAL NOT NULL,
        frames  BLOB NOT NULL                  -- one `event` notification after another, as they leave
    ) STRICT;
    CREATE UNIQUE INDEX event_last ON event (app, last);
    """,
    """
    CREATE TABLE inbound_part (                -- of handsets' long messages that are not whole yet
        id         INTEGER PRIMARY KEY,        -- in the order they came
        account    INTEGER NOT NULL,
        carrier    TEXT NOT NULL,
        handset    TEXT NOT NULL,
        recipient  TEXT NOT NULL,              -- the number of ours
        form       TEXT NOT NULL,              -- of ops.InboundPart
        reference  INTEGER NOT NULL,
        total      INTEGER NOT NULL,
        part       INTEGER NOT NULL,
        codec      TEXT,
        octets     TEXT NOT NULL,              -- hexadecimal
        locking    INTEGER NOT NULL,
        single     INTEGER NOT NULL,
        at         REAL NOT NULL
    ) STRICT;
    CREATE TABLE inbound_told (                -- what a carrier that missed our answer would send again
        digest       TEXT PRIMARY KEY,         -- of the handset, our number and the octets
        at           REAL NOT NULL,
        connections  TEXT                      -- it came on, JSON; NULL: the reference tells
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE inbound_number (              -- one row: how many messages of handsets were told
        last  INTEGER NOT NULL
    ) STRICT;
    INSERT INTO inbound_number VALUES (0);
    """,
    """
    ALTER TABLE part ADD COLUMN receipts INTEGER NOT NULL DEFAULT 0;  -- that came for it, the last included
    ALTER TABLE part ADD COLUMN error TEXT;    -- of the receipt that counts, as the following ones
    ALTER TABLE part ADD COLUMN kind TEXT;     -- of ops.Receipt; NULL: a delivery receipt
    ALTER TABLE part ADD COLUMN form TEXT;     -- that alone matched, of ops.Receipt
    UPDATE part SET receipts = 1 WHERE receipt_at IS NOT NULL;

    CREATE TABLE timeline (                    -- further receipts of a part: the one that counts is in `part`
        id       INTEGER PRIMARY KEY,          -- in the order they came
        job      INTEGER NOT NULL,
        attempt  INTEGER NOT NULL,
        part     INTEGER NOT NULL,
        at       REAL NOT NULL,
        state    TEXT NOT NULL,
        result   TEXT,
        error    TEXT,
        kind     TEXT,
        late     INTEGER NOT NULL              -- 1: came when the part had its final state
    ) STRICT;
    CREATE INDEX timeline_job ON timeline (job);

    ALTER TABLE parked ADD COLUMN message_id TEXT NOT NULL DEFAULT '';
    ALTER TABLE parked ADD COLUMN trusted TEXT NOT NULL DEFAULT 'same';
    ALTER TABLE parked ADD COLUMN error TEXT NOT NULL DEFAULT '';
    ALTER TABLE parked ADD COLUMN kind TEXT NOT NULL DEFAULT 'receipt';
    UPDATE parked SET result = 'expired' WHERE state = 'EXPIRED' AND result = 'failed';
    ALTER TABLE parked ADD COLUMN narrow INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX parked_account ON parked (account);
    CREATE INDEX parked_narrow ON parked (at) WHERE narrow = 1;
    """,
    """
    CREATE TABLE query_due (                   -- jobs whose carrier is asked for them, if they are open then
        at   REAL NOT NULL,
        job  INTEGER NOT NULL,
        PRIMARY KEY (at, job)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE INDEX unresolved_job ON unresolved (job, attempt);
    """,
    """
    ALTER TABLE attempt ADD COLUMN channel TEXT NOT NULL DEFAULT 'sms';
    CREATE TABLE call (                        -- attempts by voice that are over
        job      INTEGER NOT NULL,
        attempt  INTEGER NOT NULL,
        detail   TEXT NOT NULL,                -- JSON of voice.detail.CallDetail
        PRIMARY KEY (job, attempt)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    ALTER TABLE job ADD COLUMN follow INTEGER NOT NULL DEFAULT 0;  -- of model.LiveJob; -1: never sent again
    ALTER TABLE job ADD COLUMN journey TEXT;   -- of model.LiveJob, as the following ones
    ALTER TABLE job ADD COLUMN class TEXT;
    ALTER TABLE job ADD COLUMN supersedes TEXT;
    ALTER TABLE attempt ADD COLUMN step INTEGER NOT NULL DEFAULT 0;  -- of the journey
    CREATE INDEX job_followed ON job (deadline_at) WHERE outcome IS NULL AND follow > 0;
    UPDATE job SET body = json_object(iif(body->'voice' IS NULL, 'sms', 'voice'), json_array(json(body)))
    WHERE body IS NOT NULL;                    -- of model.Body now
    """,
    """
    ALTER TABLE job ADD COLUMN proof TEXT;     -- JSON of model.Proof

    CREATE TABLE evidence (                    -- the newest records, see evidence.layout
        first  INTEGER PRIMARY KEY,            -- numbers of the records of one commit
        last   INTEGER NOT NULL,
        lines  BLOB NOT NULL                   -- parted by newlines
    ) STRICT;
    CREATE TABLE evidence_state (              -- one row
        id     INTEGER PRIMARY KEY CHECK (id = 1),
        state  TEXT NOT NULL,                  -- JSON of evidence.table.State
        seal   TEXT NOT NULL                   -- its MAC
    ) STRICT;
    CREATE TABLE evidence_pending (            -- records whose personal parts are still to leave the files
        first  INTEGER NOT NULL,
        last   INTEGER NOT NULL,
        PRIMARY KEY (first, last)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE order_node (                  -- what orders have come to; rows are never changed
        id      INTEGER PRIMARY KEY,           -- in the order they were taken
        app     INTEGER NOT NULL,
        ord     TEXT NOT NULL,                 -- the application's own id
        node    TEXT NOT NULL,
        event   TEXT NOT NULL,                 -- which of several; empty where the node occurs once
        rank    INTEGER NOT NULL,              -- by the rules of then
        digest  TEXT NOT NULL,                 -- tells a repetition from a conflict
        ext     TEXT,                          -- job.ext; NULL: nothing is told. The job may be gone before
        at      REAL NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX order_node_event ON order_node (app, ord, node, event);
    CREATE INDEX order_node_order ON order_node (app, ord);
    """,
    """
    CREATE TABLE sealed_by (                   -- one row, from the first start that sealed
        key    TEXT NOT NULL,                  -- id of the key that all sealed values are sealed with
        proof  TEXT NOT NULL                   -- nothing, sealed with it
    ) STRICT;
    CREATE TABLE forgetting (                  -- open jobs whose recipient is forgotten when they end
        job     INTEGER PRIMARY KEY,
        number  TEXT NOT NULL
    ) STRICT;
    """,
)


class SchemaTooNew(Exception):
    """The journal was written by a newer version of this program."""


def migrate(connection: apsw.Connection) -> None:
    """Bring the file to the newest version, each step in a transaction of its own."""
    version = int(connection.pragma("user_version"))
    if version > len(MIGRATIONS):
        raise SchemaTooNew(f"the journal has version {version}; this program knows {len(MIGRATIONS)}")
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        with connection:
            connection.execute(script)
            connection.pragma("user_version", number)
