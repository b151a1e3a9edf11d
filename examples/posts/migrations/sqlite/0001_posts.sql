-- The posts, each in its present version.
CREATE TABLE posts (
    id          INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    title       TEXT    NOT NULL,
    content     TEXT    NOT NULL,
    author      TEXT    NOT NULL,
    updated_at  INTEGER NOT NULL, -- wall time, seconds since 1970
    incarnation INTEGER NOT NULL CHECK (incarnation >= 1),
    version     INTEGER NOT NULL CHECK (version >= 1),
    modified_at INTEGER NOT NULL -- as updated_at, but later than that of every earlier version
) STRICT;

-- Where the incarnations of this file begin: each id's first is the next one. Drawn at random, so that a new
-- file repeats no tag of one that was deleted.
CREATE TABLE epoch (incarnation INTEGER NOT NULL CHECK (incarnation >= 0)) STRICT;
-- Half of what an INTEGER holds is left for counting.
INSERT INTO epoch (incarnation) VALUES (random() & 0x3fffffffffffffff);

-- Every id that ever existed, with its latest incarnation. It outlives the post, so that whoever holds a tag
-- of a deleted post holds nothing that could fit a later post of the same id.
CREATE TABLE incarnations (
    id          INTEGER PRIMARY KEY,
    incarnation INTEGER NOT NULL,
    modified_at INTEGER NOT NULL -- what the first version of the next incarnation has to be later than
) STRICT;

-- The versions of the present incarnation that came before the present one: what a conflict's `changed` is
-- worked out from.
CREATE TABLE history (
    id          INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    incarnation INTEGER NOT NULL,
    version     INTEGER NOT NULL,
    title       TEXT    NOT NULL,
    content     TEXT    NOT NULL,
    author      TEXT    NOT NULL,
    PRIMARY KEY (id, incarnation, version)
) STRICT, WITHOUT ROWID;

-- Where the search for the id of the next new post begins.
CREATE TABLE sequence (next INTEGER NOT NULL) STRICT;
INSERT INTO sequence (next) VALUES (1);

-- What the example promises of its versions holds only if every writer keeps to it, a person at the
-- database's own shell included. So no statement, whoever sends it, changes a post without a later
-- version and date, lets one begin in an earlier incarnation, or takes back an incarnation, a date, the epoch or the
-- sequence. Out of reach is who drops a table or a trigger, or puts an older copy of the file in this
-- one's place; and `history`, which decides nothing, is not guarded. Where only DELETE and UPDATE
-- were watched, REPLACE would get past: the rows that it removes call no trigger.

CREATE TRIGGER posts_advance BEFORE UPDATE ON posts
WHEN NEW.version IS NOT OLD.version + 1
    OR NEW.modified_at <= OLD.modified_at
    OR NEW.id IS NOT OLD.id
    OR NEW.incarnation IS NOT OLD.incarnation
BEGIN
    SELECT RAISE(ABORT, 'a write of a post has to raise version by 1 and modified_at by at least 1');
END;

CREATE TRIGGER posts_begin BEFORE INSERT ON posts
WHEN NEW.version IS NOT 1
    OR NEW.incarnation <= (SELECT incarnation FROM epoch)
    OR EXISTS (
        SELECT 1 FROM incarnations
        WHERE id = NEW.id AND (incarnation >= NEW.incarnation OR modified_at >= NEW.modified_at)
    )
    OR EXISTS (SELECT 1 FROM posts WHERE id = NEW.id AND modified_at >= NEW.modified_at)
BEGIN
    SELECT RAISE(ABORT, 'a post has to begin with version 1, a new incarnation and a later modified_at');
END;

CREATE TRIGGER lives_advance BEFORE UPDATE ON incarnations
WHEN NEW.incarnation < OLD.incarnation
    OR NEW.modified_at < OLD.modified_at
    OR NEW.id IS NOT OLD.id
BEGIN
    SELECT RAISE(ABORT, 'an incarnation and its modified_at have to stay or rise');
END;

CREATE TRIGGER lives_begin BEFORE INSERT ON incarnations
WHEN NEW.incarnation <= (SELECT incarnation FROM epoch)
    OR EXISTS (
        SELECT 1 FROM incarnations
        WHERE id = NEW.id AND (incarnation > NEW.incarnation OR modified_at > NEW.modified_at)
    )
BEGIN
    SELECT RAISE(ABORT, 'an incarnation has to be later than the epoch and the last of its id');
END;

CREATE TRIGGER incarnations_stay BEFORE DELETE ON incarnations
BEGIN
    SELECT RAISE(ABORT, 'incarnations have to stay');
END;

CREATE TRIGGER sequence_advance BEFORE UPDATE ON sequence
WHEN NEW.next < OLD.next
BEGIN
    SELECT RAISE(ABORT, 'the sequence has to stay or rise');
END;

CREATE TRIGGER sequence_is_one BEFORE INSERT ON sequence
BEGIN
    SELECT RAISE(ABORT, 'the sequence has to be one row');
END;

CREATE TRIGGER sequence_stays BEFORE DELETE ON sequence
BEGIN
    SELECT RAISE(ABORT, 'the sequence has to stay');
END;

CREATE TRIGGER epoch_is_fixed BEFORE UPDATE ON epoch
BEGIN
    SELECT RAISE(ABORT, 'the epoch has to stay as it is');
END;

CREATE TRIGGER epoch_is_one BEFORE INSERT ON epoch
BEGIN
    SELECT RAISE(ABORT, 'the epoch has to be one row');
END;

CREATE TRIGGER epoch_stays BEFORE DELETE ON epoch
BEGIN
    SELECT RAISE(ABORT, 'the epoch has to stay');
END;

-- And it keeps the books itself, in the transaction of the write.

CREATE TRIGGER posts_born AFTER INSERT ON posts
BEGIN
    INSERT INTO incarnations (id, incarnation, modified_at) VALUES (NEW.id, NEW.incarnation, NEW.modified_at)
    ON CONFLICT (id) DO UPDATE SET incarnation = NEW.incarnation, modified_at = NEW.modified_at;
END;

CREATE TRIGGER posts_replaced AFTER UPDATE ON posts
BEGIN
    INSERT INTO history (id, incarnation, version, title, content, author)
    VALUES (OLD.id, OLD.incarnation, OLD.version, OLD.title, OLD.content, OLD.author);
    DELETE FROM history WHERE id = OLD.id AND version < NEW.version - 100;
END;

CREATE TRIGGER posts_deleted AFTER DELETE ON posts
BEGIN
    UPDATE incarnations SET modified_at = max(modified_at, OLD.modified_at) WHERE id = OLD.id;
END;
