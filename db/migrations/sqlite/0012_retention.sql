-- compatible with builds that know 0003
-- For how long runs are kept after they have ended. Times are Unix microseconds, UTC.

-- What a workspace says of runs whose definition says nothing; microseconds, null: they are kept.
create table retention_setting (
    organisation blob not null,
    workspace blob not null,
    completed integer,
    faulted integer,
    cancelled integer,
    updated_at integer not null,
    primary key (workspace)
) strict, without rowid;

-- Runs that have ended and go at a time. Written with the run's last record.
create table run_expiry (
    organisation blob not null,
    workspace blob not null,
    run blob not null,
    at integer not null,
    primary key (workspace, run)
) strict, without rowid;

create index run_expiry_at on run_expiry (at);

-- Runs whose row is gone and whose journal and files go piece by piece.
create table run_removal (
    organisation blob not null,
    workspace blob not null,
    run blob not null,
    primary key (workspace, run)
) strict, without rowid;

create index start_key_run on start_key (run);
