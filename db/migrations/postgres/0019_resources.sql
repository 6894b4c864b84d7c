-- compatible with builds that know 0003
-- Texts that a workspace keeps for its definitions to name by resource:///name: documents of APIs, protos, schemas, scripts.
create table resource (
    organisation uuid not null,
    workspace uuid not null,
    name text collate "C" not null,
    media_type text not null,
    -- SHA-256 of the content, lower-case hexadecimal.
    sha256 text collate "C" not null,
    size bigint not null,
    content bytea not null,
    created_at bigint not null,
    updated_at bigint not null,
    primary key (workspace, name)
);
