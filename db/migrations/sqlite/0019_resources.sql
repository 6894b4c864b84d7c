-- compatible with builds that know 0003
-- Texts that a workspace keeps for its definitions to name by resource:///name: documents of APIs, protos, schemas, scripts.
create table resource (
    organisation blob not null,
    workspace blob not null,
    name text not null,
    media_type text not null,
    -- SHA-256 of the content, lower-case hexadecimal.
    sha256 text not null,
    size integer not null,
    content blob not null,
    created_at integer not null,
    updated_at integer not null,
    primary key (workspace, name)
) strict, without rowid;
