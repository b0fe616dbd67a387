-- What a manifest of a PostgreSQL database asks the catalogue. Each part begins with its kind; {ours} are the
-- relations that are neither the system's nor an extension's own (tables that hold an extension's settings are ours).

--- ours
n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
AND NOT EXISTS (
    SELECT FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
      AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
      AND (e.extconfig IS NULL OR NOT c.oid = ANY (e.extconfig)))

--- tables
SELECT coalesce(json_agg(json_build_object(
    'schema', n.nspname, 'name', c.relname, 'size', pg_relation_size(c.oid),
    'columns', (
        SELECT coalesce(json_agg(json_build_object(
            'name', a.attname, 'text', a.atttypid IN ('text'::regtype, 'varchar'::regtype),
            'nullable', NOT a.attnotnull) ORDER BY a.attnum), '[]')
        FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)))::text, '[]')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated) AND {ours}

--- large objects
SELECT count(DISTINCT loid), coalesce(sum(hashtextextended(format('%s %s %s', loid, pageno, data), 0)), 0)
FROM pg_largeobject

--- roles
SELECT r.rolname::text,
       concat_ws(' ',
           CASE WHEN r.rolsuper THEN 'superuser' END, CASE WHEN r.rolcanlogin THEN 'login' END,
           CASE WHEN r.rolcreaterole THEN 'createrole' END, CASE WHEN r.rolcreatedb THEN 'createdb' END,
           CASE WHEN r.rolreplication THEN 'replication' END, CASE WHEN r.rolbypassrls THEN 'bypassrls' END,
           (SELECT 'in ' || string_agg(DISTINCT g.rolname::text, ' ' ORDER BY g.rolname::text)
            FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid))
FROM pg_roles r WHERE r.rolname !~ '^pg_'

--- item extension
SELECT extname::text, extversion FROM pg_extension

--- item sequence
SELECT format('%I.%I', schemaname, sequencename),
       concat_ws(' ', coalesce(last_value::text, 'unused'), 'by', increment_by, CASE WHEN cycle THEN 'cycling' END)
FROM pg_sequences

--- item constraint
-- Version 18 keeps NOT NULL as constraints, older ones do not; the columns tell it in every version.
SELECT format('%I.%I.%I', n.nspname, c.relname, o.conname),
       CASE WHEN o.convalidated THEN '' ELSE 'not validated ' END || pg_get_constraintdef(o.oid)
FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE o.contype <> 'n' AND {ours}

--- item index
SELECT format('%I.%I', n.nspname, c.relname),
       CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE 'invalid ' END || pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE {ours}

--- item columns
SELECT format('%I.%I', n.nspname, c.relname),
       string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                         CASE WHEN a.attnotnull THEN ' not null' ELSE '' END), ', ' ORDER BY a.attnum)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm', 'v', 'f') AND {ours}
GROUP BY n.nspname, c.relname

--- item owner
SELECT format('%I.%I', n.nspname, c.relname), pg_get_userbyid(c.relowner)::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'S', 'f') AND {ours}

--- item trigger
SELECT format('%I.%I.%I', n.nspname, c.relname, t.tgname), CASE t.tgenabled WHEN 'D' THEN 'disabled' ELSE '' END
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND {ours}

--- item function
SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), md5(p.prosrc)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')

--- item enum
SELECT format('%I.%I', n.nspname, t.typname), string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
GROUP BY n.nspname, t.typname

--- item encoding
SELECT 'database', pg_encoding_to_char(encoding)::text FROM pg_database WHERE datname = current_database()
