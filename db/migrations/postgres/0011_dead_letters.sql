-- compatible with builds that know 0003
-- What the engine could not carry on or deliver, put aside for somebody to look at. Times are Unix microseconds, UTC.
create table dead_letter (
    organisation uuid not null,
    workspace uuid not null,
    -- Follows from kind and subject.
    id uuid not null,
    kind text collate "C" not null,
    subject text collate "C" not null,
    -- namespace/name of the definition, where one is known.
    definition text collate "C" not null,
    -- Stable; what programs decide on.
    reason text collate "C" not null,
    -- JSON: the error, and what is needed to try again.
    error text,
    target text,
    first_at bigint not null,
    last_at bigint not null,
    -- How often it has come.
    times bigint not null,
    primary key (workspace, id)
);
