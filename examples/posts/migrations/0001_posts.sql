-- The posts, each in its present version.
CREATE TABLE posts (
    id          INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    title       TEXT    NOT NULL,
    content     TEXT    NOT NULL,
    author      TEXT    NOT NULL,
    updated_at  INTEGER NOT NULL, -- wall time, seconds since 1970
    life        INTEGER NOT NULL CHECK (life >= 1),
    version     INTEGER NOT NULL CHECK (version >= 1),
    modified_at INTEGER NOT NULL -- as updated_at, but later than that of every earlier version
) STRICT;

-- Every id that ever existed, with its latest life. It outlives the post, so that whoever holds a tag
-- of a deleted post holds nothing that could fit a later post of the same id.
CREATE TABLE lives (
    id          INTEGER PRIMARY KEY,
    life        INTEGER NOT NULL,
    modified_at INTEGER NOT NULL -- what the first version of the next life has to be later than
) STRICT;

-- The versions of the present life that came before the present one: what a conflict's `changed` is
-- worked out from.
CREATE TABLE history (
    id      INTEGER NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    life    INTEGER NOT NULL,
    version INTEGER NOT NULL,
    title   TEXT    NOT NULL,
    content TEXT    NOT NULL,
    author  TEXT    NOT NULL,
    PRIMARY KEY (id, life, version)
) STRICT, WITHOUT ROWID;

-- Where the search for the id of the next new post begins.
CREATE TABLE sequence (next INTEGER NOT NULL) STRICT;
INSERT INTO sequence (next) VALUES (1);

-- What the example promises of its versions holds only if every writer keeps to it, a person at the
-- database's own shell included. So the database itself refuses the others.

CREATE TRIGGER posts_advance BEFORE UPDATE ON posts
WHEN NEW.version IS NOT OLD.version + 1
    OR NEW.modified_at <= OLD.modified_at
    OR NEW.id IS NOT OLD.id
    OR NEW.life IS NOT OLD.life
BEGIN
    SELECT RAISE(ABORT, 'a write of a post has to raise version by 1 and modified_at by at least 1');
END;

CREATE TRIGGER posts_begin BEFORE INSERT ON posts
WHEN NEW.version IS NOT 1
    OR EXISTS (
        SELECT 1 FROM lives
        WHERE id = NEW.id AND (life >= NEW.life OR modified_at >= NEW.modified_at)
    )
BEGIN
    SELECT RAISE(ABORT, 'a post has to begin with version 1, a new life and a later modified_at');
END;

-- And it keeps the books itself, in the transaction of the write.

CREATE TRIGGER posts_born AFTER INSERT ON posts
BEGIN
    INSERT INTO lives (id, life, modified_at) VALUES (NEW.id, NEW.life, NEW.modified_at)
    ON CONFLICT (id) DO UPDATE SET life = NEW.life, modified_at = NEW.modified_at;
END;

CREATE TRIGGER posts_replaced AFTER UPDATE ON posts
BEGIN
    INSERT INTO history (id, life, version, title, content, author)
    VALUES (OLD.id, OLD.life, OLD.version, OLD.title, OLD.content, OLD.author);
    DELETE FROM history WHERE id = OLD.id AND version < NEW.version - 100;
END;

CREATE TRIGGER posts_deleted AFTER DELETE ON posts
BEGIN
    UPDATE lives SET modified_at = OLD.modified_at WHERE id = OLD.id;
END;
