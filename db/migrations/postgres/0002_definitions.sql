-- Versions of definitions. A row, once written, never changes: runs are pinned to its hash.
create table definition_version (
    organisation uuid not null,
    workspace uuid not null,
    namespace text collate "C" not null,
    name text collate "C" not null,
    version text collate "C" not null,
    -- The version as text that sorts, byte by byte, by precedence (semver 2.0.0, 11).
    precedence text collate "C" not null,
    -- SHA-256 of the source, lower-case hexadecimal.
    hash text collate "C" not null,
    source bytea not null,
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
    created_at bigint not null,
    primary key (workspace, namespace, name, version)
);

create index definition_precedence on definition_version (workspace, namespace, name, precedence, version);
create index definition_hash on definition_version (workspace, hash);
