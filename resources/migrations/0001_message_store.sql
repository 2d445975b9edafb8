-- The message store, version 1.
--
-- details   a message as it was imported; never changed afterwards
-- messages  the same message as filters read it: numbers, and its place in the tree (derived)
-- curation, tags, undo_log   what people did to a message, beside it
-- words     which words a message contains (full-text search), filled when first needed

CREATE TABLE sources (
    id          INTEGER PRIMARY KEY,
    sha256      TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    bytes       INTEGER NOT NULL,
    lines       INTEGER NOT NULL,
    messages    INTEGER NOT NULL,
    imported_at TEXT NOT NULL
) STRICT;

CREATE TABLE trees (
    id       INTEGER PRIMARY KEY,
    tree_id  TEXT NOT NULL,
    messages INTEGER NOT NULL DEFAULT 0
) STRICT;

-- labels {"quality":[0.75,3]}: mean and number of raters; emojis {"+1":9}; detoxify {"toxicity":0.01}. Names sorted.
-- text stands last, so that the columns before it are read without its overflow pages.
CREATE TABLE details (
    id           INTEGER PRIMARY KEY,
    message_id   TEXT NOT NULL,
    parent_id    TEXT,
    user_id      TEXT,
    created_date TEXT,
    model_name   TEXT,
    tree_state   TEXT,
    labels       TEXT,
    emojis       TEXT,
    detoxify     TEXT,
    text         TEXT NOT NULL
) STRICT;

-- The columns that queries read most stand first. id is that of details and grows in file order. role: 0 prompter,
-- 1 assistant, 2 system. created: microseconds since 1970, UTC. length: code points. orphan: details.parent_id is set
-- but not in the store. same_role: as its parent's.
CREATE TABLE messages (
    id            INTEGER PRIMARY KEY,
    tree          INTEGER NOT NULL,
    parent        INTEGER,
    orphan        INTEGER NOT NULL DEFAULT 0,
    deleted       INTEGER NOT NULL,
    role          INTEGER NOT NULL,
    rank          INTEGER,
    depth         INTEGER NOT NULL DEFAULT 0,
    lang          TEXT,
    replies       INTEGER NOT NULL DEFAULT 0,
    review_result INTEGER,
    same_role     INTEGER NOT NULL DEFAULT 0,
    synthetic     INTEGER NOT NULL,
    length        INTEGER NOT NULL,
    review_count  INTEGER,
    created       INTEGER,
    source        INTEGER NOT NULL,
    label_quality           REAL,
    label_toxicity          REAL,
    label_spam              REAL,
    label_humor             REAL,
    label_helpfulness       REAL,
    label_creativity        REAL,
    label_violence          REAL,
    label_fails_task        REAL,
    label_lang_mismatch     REAL,
    label_pii               REAL,
    label_not_appropriate   REAL,
    label_hate_speech       REAL,
    label_sexual_content    REAL,
    label_moral_judgement   REAL,
    label_political_content REAL
) STRICT;

CREATE TABLE curation (
    message    INTEGER PRIMARY KEY,
    review     INTEGER,  -- 1 accepted, 0 rejected; else as imported
    rank       INTEGER,
    text       TEXT,
    note       TEXT,
    changed_at TEXT NOT NULL
) STRICT;

CREATE TABLE tags (
    message INTEGER NOT NULL,
    tag     TEXT NOT NULL,
    PRIMARY KEY (message, tag)
) STRICT, WITHOUT ROWID;

-- One action of a person is one step; its rows are undone from the last to the first.
CREATE TABLE undo_log (
    id        INTEGER PRIMARY KEY,
    step      INTEGER NOT NULL,
    undone    INTEGER NOT NULL DEFAULT 0,
    action    TEXT NOT NULL,
    message   INTEGER NOT NULL,
    field     TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT
) STRICT;

CREATE VIRTUAL TABLE words USING fts5(text, content = '', tokenize = 'unicode61 remove_diacritics 2');

-- One row: words holds the messages up to this one.
CREATE TABLE text_index (last_message INTEGER NOT NULL) STRICT;
INSERT INTO text_index VALUES (0);
