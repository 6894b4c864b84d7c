-- compatible with builds that know 0003
-- Decisions that people take. Times are Unix microseconds, UTC.

-- One row for each question that a step asks, written and settled with the run's records; a vote settles it at once.
create table approval (
    organisation blob not null,
    workspace blob not null,
    id blob not null,
    run blob not null,
    step integer not null,
    -- 0 open, 1 approved, 2 rejected, 3 expired, 4 cancelled.
    state integer not null,
    -- JSON: what people are asked.
    ask blob not null,
    -- JSON Schema of what they fill in.
    form blob,
    -- SHA-256 of what is shown, in hexadecimal.
    hash text not null,
    reminders integer not null,
    escalated integer not null,
    created_at integer not null,
    ended_at integer,
    primary key (workspace, id)
) strict, without rowid;

create index approval_run on approval (run);
create index approval_open on approval (workspace, id) where state = 0;

-- What one person has said: 0 no, 1 yes, 2 another may say it for them.
create table approval_vote (
    organisation blob not null,
    workspace blob not null,
    approval blob not null,
    person text not null,
    vote integer not null,
    delegate text,
    comment blob,
    -- JSON: what they filled in.
    form blob,
    at integer not null,
    primary key (workspace, approval, person)
) strict, without rowid;

-- Links that let whoever has one decide; of the token only its SHA-256 is kept.
create table approval_link (
    organisation blob not null,
    workspace blob not null,
    token text not null,
    approval blob not null,
    person text not null,
    created_at integer not null,
    primary key (workspace, token)
) strict, without rowid;

create index approval_link_approval on approval_link (workspace, approval);
