-- Versions of definitions. A row, once written, never changes: runs are pinned to its hash.
create table definition_version (
    organisation blob not null,
    workspace blob not null,
    namespace text not null,
    name text not null,
    version text not null,
    -- The version as text that sorts, byte by byte, by precedence (semver 2.0.0, 11).
    precedence text not null,
    -- SHA-256 of the source, lower-case hexadecimal.
    hash text not null,
    source blob not null,
    title text,
    summary text,
    -- JSON: an object, or null.
    tags text,
    -- JSON: findings that do not keep the document from being run.
    warnings text not null,
    -- JSON: the schema of the input, or null.
    input_schema text,
    -- JSON: names of the secrets it lists.
    secrets text not null,
    -- Unix microseconds, UTC.
    created_at integer not null,
    primary key (workspace, namespace, name, version)
) strict, without rowid;

create index definition_precedence on definition_version (workspace, namespace, name, precedence, version);
create index definition_hash on definition_version (workspace, hash);
