-- compatible with builds that know 0003
-- Decisions that people take. Times are Unix microseconds, UTC.

-- One row for each question that a step asks, written and settled with the run's records; a vote settles it at once.
create table approval (
    organisation uuid not null,
    workspace uuid not null,
    id uuid not null,
    run uuid not null,
    step bigint not null,
    -- 0 open, 1 approved, 2 rejected, 3 expired, 4 cancelled.
    state bigint not null,
    -- JSON: what people are asked.
    ask bytea not null,
    -- JSON Schema of what they fill in.
    form bytea,
    -- SHA-256 of what is shown, in hexadecimal.
    hash text collate "C" not null,
    reminders bigint not null,
    escalated bigint not null,
    created_at bigint not null,
    ended_at bigint,
    primary key (workspace, id)
);

create index approval_run on approval (run);
create index approval_open on approval (workspace, id) where state = 0;

-- What one person has said: 0 no, 1 yes, 2 another may say it for them.
create table approval_vote (
    organisation uuid not null,
    workspace uuid not null,
    approval uuid not null,
    person text collate "C" not null,
    vote bigint not null,
    delegate text,
    comment bytea,
    -- JSON: what they filled in.
    form bytea,
    at bigint not null,
    primary key (workspace, approval, person)
);

-- Links that let whoever has one decide; of the token only its SHA-256 is kept.
create table approval_link (
    organisation uuid not null,
    workspace uuid not null,
    token text collate "C" not null,
    approval uuid not null,
    person text collate "C" not null,
    created_at bigint not null,
    primary key (workspace, token)
);

create index approval_link_approval on approval_link (workspace, approval);
