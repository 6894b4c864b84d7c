-- compatible with builds that know 0003
-- What each writing connection committed last. A server that crashes may give the number of a transaction that never reached its disk to another one, so
-- whether a commit counts that was not answered is known by what it wrote here, and not by its number alone.
create table commit_proof (
    session uuid primary key,
    -- The transaction.
    number bigint not null,
    at timestamptz not null
) with (fillfactor = 50);
