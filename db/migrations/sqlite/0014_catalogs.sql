-- compatible with builds that know 0003
-- What a version of a definition is compiled with from elsewhere (functions of catalogs, schemas), as it was when the version was pushed.
create table definition_import (
    organisation blob not null,
    workspace blob not null,
    -- The definition's.
    hash text not null,
    address text not null,
    -- SHA-256 of the content, lower-case hexadecimal.
    sha256 text not null,
    content blob not null,
    primary key (workspace, hash, address)
) strict, without rowid;

-- Definitions that several events start a run of together, with what has been gathered so far: JSON.
create table event_gathering (
    organisation blob not null,
    workspace blob not null,
    namespace text not null,
    name text not null,
    hash text not null,
    state text not null,
    primary key (workspace, namespace, name)
) strict, without rowid;

-- Events that such a definition has not looked at yet.
create table event_letter (
    organisation blob not null,
    workspace blob not null,
    namespace text not null,
    name text not null,
    event integer not null,
    primary key (workspace, namespace, name, event)
) strict, without rowid;
