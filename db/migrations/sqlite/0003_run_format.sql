-- What a worker's build must know to go on with a run: raised by a worker that met in the run's journal, inbox or definition what only newer builds know.
alter table run add column format integer not null default 0;
