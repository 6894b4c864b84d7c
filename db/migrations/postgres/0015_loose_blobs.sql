-- compatible with builds that know 0003
-- Content of the blob store that a run let go of referred to. It goes when nothing else refers to it for a time. Times are Unix microseconds, UTC.
create table loose_blob (
    sha256 text not null primary key,
    size bigint not null,
    -- When a run that referred to it went.
    at bigint not null,
    -- Set when it is being removed: whoever wants to keep the same content waits until the row is gone.
    going_since bigint
);
