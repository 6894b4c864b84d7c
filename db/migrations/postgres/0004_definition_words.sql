-- compatible with builds that know 0003
-- Full-text search over documents: each version's words, lower case, each once.
alter table definition_version add column words text;

update definition_version set words = left(lower(regexp_replace(convert_from(source, 'UTF8'), '[^[:alnum:]]+', ' ', 'g')), 200000);

create index definition_words_index on definition_version using gin (to_tsvector('simple'::regconfig, words));

-- Named as SQLite names them, so that one text asks both: every word of the question is there.
create view definition_words as
    select workspace, namespace, name, version, words, to_tsvector('simple'::regconfig, words) as definition_words from definition_version;

-- The view knows a version's words from its row; SQLite's table must be told.
create rule definition_words_known as on insert to definition_words do instead nothing;

create function match(question text, words tsvector) returns boolean immutable parallel safe language sql as
    $$ select words @@ plainto_tsquery('simple'::regconfig, question) $$;
