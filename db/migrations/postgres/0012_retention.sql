-- compatible with builds that know 0003
-- For how long runs are kept after they have ended. Times are Unix microseconds, UTC.

-- What a workspace says of runs whose definition says nothing; microseconds, null: they are kept.
create table retention_setting (
    organisation uuid not null,
    workspace uuid not null,
    completed bigint,
    faulted bigint,
    cancelled bigint,
    updated_at bigint not null,
    primary key (workspace)
);

-- Runs that have ended and go at a time. Written with the run's last record.
create table run_expiry (
    organisation uuid not null,
    workspace uuid not null,
    run uuid not null,
    at bigint not null,
    primary key (workspace, run)
);

create index run_expiry_at on run_expiry (at);

-- Runs whose row is gone and whose journal and files go piece by piece.
create table run_removal (
    organisation uuid not null,
    workspace uuid not null,
    run uuid not null,
    primary key (workspace, run)
);

create index start_key_run on start_key (run);
