-- compatible with builds that know 0003
-- What the engine could not carry on or deliver, put aside for somebody to look at. Times are Unix microseconds, UTC.
create table dead_letter (
    organisation blob not null,
    workspace blob not null,
    -- Follows from kind and subject.
    id blob not null,
    kind text not null,
    subject text not null,
    -- namespace/name of the definition, where one is known.
    definition text not null,
    -- Stable; what programs decide on.
    reason text not null,
    -- JSON: the error, and what is needed to try again.
    error text,
    target text,
    first_at integer not null,
    last_at integer not null,
    -- How often it has come.
    times integer not null,
    primary key (workspace, id)
) strict, without rowid;
