-- The posts, each in its present version. What stands below `author` is the triggers' alone to write:
-- a statement that leaves it out, or brings values of its own, gets theirs.
CREATE TABLE posts (
    id          bigint PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    title       text   NOT NULL,
    content     text   NOT NULL,
    author      text   NOT NULL,
    updated_at  bigint NOT NULL, -- wall time, seconds since 1970
    incarnation bigint NOT NULL CHECK (incarnation >= 1),
    version     bigint NOT NULL CHECK (version >= 1),
    modified_at bigint NOT NULL -- as updated_at, but later than that of every earlier version
);

-- The incarnations of all posts. It begins at random, so that a new database repeats no tag of one that was
-- deleted; half of what a bigint holds is left for counting.
CREATE SEQUENCE post_incarnations AS bigint;
SELECT setval(
    'post_incarnations',
    1 + (('x' || left(md5(gen_random_uuid()::text), 16))::bit(64)::bigint & 4611686018427387903)
);

-- Every id that ever existed, with its latest incarnation. It outlives the post, so that whoever holds a tag
-- of a deleted post holds nothing that could fit a later post of the same id.
CREATE TABLE incarnations (
    id          bigint PRIMARY KEY,
    incarnation bigint NOT NULL, -- 0: the id was given out, and is no post's yet
    modified_at bigint NOT NULL -- what the first version of the next incarnation has to be later than
);

-- The versions of the present incarnation that came before the present one: what a conflict's `changed` is
-- worked out from.
CREATE TABLE history (
    id          bigint NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    incarnation bigint NOT NULL,
    version     bigint NOT NULL,
    title       text   NOT NULL,
    content     text   NOT NULL,
    author      text   NOT NULL,
    PRIMARY KEY (id, incarnation, version)
);

-- The ids that new posts get. No PUT uses them up: one that is in `incarnations` is skipped.
CREATE SEQUENCE post_ids AS bigint MAXVALUE 9007199254740991;

-- What the example promises of its versions holds for every writer, a person at psql included, and none
-- of them needs to know of it: no statement, whoever sends it, changes a post without a later version and
-- date, lets one begin in an earlier incarnation, or takes back an incarnation or a date. Out of reach is who drops or
-- disables a trigger, sets a sequence back, or restores an older copy of the database; and `history`,
-- which decides nothing, is not guarded.
--
-- The functions find the tables whatever the search path of who writes.

-- A incarnation begins. The row of `incarnations` is locked before the incarnation is drawn and until the transaction ends:
-- incarnations of one id are drawn in the order in which they are, and a deletion that is under way is waited
-- for. Who deletes locks that row, too, before the post is gone.
CREATE FUNCTION begin_post() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    latest bigint;
BEGIN
    INSERT INTO incarnations (id, incarnation, modified_at) VALUES (NEW.id, 0, 0) ON CONFLICT (id) DO NOTHING;
    SELECT modified_at INTO latest FROM incarnations WHERE id = NEW.id FOR UPDATE;
    NEW.updated_at := floor(extract(epoch FROM clock_timestamp()));
    NEW.incarnation := nextval('post_incarnations');
    NEW.version := 1;
    NEW.modified_at := greatest(NEW.updated_at, latest + 1);
    RETURN NEW;
END
$$;

CREATE FUNCTION keep_incarnation() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE incarnations SET incarnation = NEW.incarnation, modified_at = NEW.modified_at
    WHERE id = NEW.id AND incarnation < NEW.incarnation AND modified_at < NEW.modified_at;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a post has to begin with a new incarnation and a later modified_at';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION advance_post() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    NEW.updated_at := floor(extract(epoch FROM clock_timestamp()));
    NEW.incarnation := OLD.incarnation;
    NEW.version := OLD.version + 1;
    NEW.modified_at := greatest(NEW.updated_at, OLD.modified_at + 1);
    RETURN NEW;
END
$$;

CREATE FUNCTION keep_version() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO history (id, incarnation, version, title, content, author)
    VALUES (OLD.id, OLD.incarnation, OLD.version, OLD.title, OLD.content, OLD.author);
    DELETE FROM history WHERE id = OLD.id AND version < NEW.version - 100;
    RETURN NULL;
END
$$;

CREATE FUNCTION end_post() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE incarnations SET modified_at = greatest(modified_at, OLD.modified_at) WHERE id = OLD.id;
    RETURN OLD;
END
$$;

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0];
END
$$;

CREATE TRIGGER posts_begin BEFORE INSERT ON posts
FOR EACH ROW EXECUTE FUNCTION begin_post();

CREATE TRIGGER posts_born AFTER INSERT ON posts
FOR EACH ROW EXECUTE FUNCTION keep_incarnation();

CREATE TRIGGER posts_advance BEFORE UPDATE ON posts
FOR EACH ROW EXECUTE FUNCTION advance_post();

CREATE TRIGGER posts_keep_id BEFORE UPDATE ON posts
FOR EACH ROW WHEN (NEW.id IS DISTINCT FROM OLD.id)
EXECUTE FUNCTION refuse('the id of a post has to stay');

CREATE TRIGGER posts_replaced AFTER UPDATE ON posts
FOR EACH ROW EXECUTE FUNCTION keep_version();

CREATE TRIGGER posts_end BEFORE DELETE ON posts
FOR EACH ROW EXECUTE FUNCTION end_post();

-- The rows that TRUNCATE removes call no trigger.
CREATE TRIGGER posts_one_by_one BEFORE TRUNCATE ON posts
EXECUTE FUNCTION refuse('posts have to be deleted by DELETE');

CREATE TRIGGER lives_advance BEFORE UPDATE ON incarnations
FOR EACH ROW WHEN (
    NEW.incarnation < OLD.incarnation OR NEW.modified_at < OLD.modified_at OR NEW.id IS DISTINCT FROM OLD.id
)
EXECUTE FUNCTION refuse('an incarnation and its modified_at have to stay or rise');

CREATE TRIGGER incarnations_stay BEFORE DELETE OR TRUNCATE ON incarnations
EXECUTE FUNCTION refuse('incarnations have to stay');
