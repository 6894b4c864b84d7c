-- compatible with builds that know 0003
-- Where a run parted from another one: that run, its record at which it was cut, and its step that began anew.
alter table run add column fork_of blob;
alter table run add column fork_seq integer;
alter table run add column fork_step integer;

create index run_fork on run (fork_of) where fork_of is not null;

-- One wish about many runs, carried out page by page. A page and the place it has come to are written together, or each of its runs has a start key of its own.
create table bulk (
    organisation blob not null,
    workspace blob not null,
    id blob not null,
    -- JSON: the request.
    request text not null,
    -- 0 under way, 1 done, 2 stopped by somebody.
    state integer not null,
    -- When a process may take it: the one that has it moves this on.
    due_at integer not null,
    -- The run it has come to; runs are taken newest first.
    come_to blob not null,
    -- Runs that fitted when it was asked for.
    found integer not null,
    done integer not null,
    refused integer not null,
    -- JSON: the first refusals.
    refusals text not null,
    created_at integer not null,
    updated_at integer not null,
    ended_at integer,
    primary key (workspace, id)
) strict, without rowid;

create index bulk_due on bulk (due_at) where state = 0;
