-- Version 1 of the store: where SqliteSchema starts a new file.
-- A released step is never edited; a change of the schema is a new file, sqlite-2.sql.

CREATE TABLE store (
    only        INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),  -- there is one row
    incarnation INTEGER NOT NULL CHECK (incarnation <> 0),      -- random, 64 bits, read as unsigned
    epoch       INTEGER NOT NULL CHECK (epoch >= 0)             -- the last one handed out
) STRICT;

CREATE TABLE status (
    uid         TEXT    NOT NULL PRIMARY KEY,
    status      INTEGER NOT NULL CHECK (status BETWEEN 1 AND 8),
    timestamp   TEXT,                                           -- the client's claim; NULL: none
    quoted      INTEGER NOT NULL CHECK (quoted IN (0, 1)),      -- 1: it came as a JSON string
    incarnation INTEGER NOT NULL CHECK (incarnation <> 0),      -- of the home that accepted it: not ours for a remote subscriber
    epoch       INTEGER NOT NULL CHECK (epoch >= 1),
    seq         INTEGER NOT NULL CHECK (seq >= 1),
    source      INTEGER NOT NULL CHECK (source BETWEEN 1 AND 5), -- SourceKind
    actor       TEXT    NOT NULL,
    through     TEXT    NOT NULL,
    at          INTEGER NOT NULL                                -- 100 ns since 1970: datetime(at / 10000000, 'unixepoch')
) STRICT, WITHOUT ROWID;
