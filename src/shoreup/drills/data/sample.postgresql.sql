-- A little of everything that applications put into a PostgreSQL, so that a dump of it says what another version takes.
CREATE TYPE state AS ENUM ('new', 'paid', 'sent');
CREATE DOMAIN amount AS numeric(12, 2) CHECK (VALUE >= 0);
CREATE TABLE customer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    mail text UNIQUE,
    tags text[] NOT NULL DEFAULT '{}',
    told jsonb NOT NULL DEFAULT '{}',
    address inet,
    born date,
    since timestamptz NOT NULL DEFAULT '2026-01-01 00:00:00+00',
    search tsvector GENERATED ALWAYS AS (to_tsvector('simple', name)) STORED
);
CREATE TABLE sale (
    id uuid NOT NULL,
    customer bigint NOT NULL REFERENCES customer ON DELETE CASCADE,
    state state NOT NULL DEFAULT 'new',
    total amount NOT NULL,
    day date NOT NULL,
    lasts int4range,
    PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE sale_2025 PARTITION OF sale FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE sale_2026 PARTITION OF sale FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE INDEX sale_by_state ON sale (state, day DESC) WHERE state <> 'sent';
CREATE INDEX customer_search ON customer USING gin (search);
CREATE SEQUENCE invoice START 1000 INCREMENT 5;
CREATE VIEW open_sales AS SELECT c.name, s.total FROM sale s JOIN customer c ON c.id = s.customer WHERE s.state <> 'sent';
CREATE MATERIALIZED VIEW sales_by_day AS SELECT day, count(*) AS sales FROM sale GROUP BY day;
CREATE FUNCTION worth(bigint) RETURNS numeric LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(sum(total), 0) FROM public.sale WHERE customer = $1);
END $$;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.since := '2026-02-02 00:00:00+00';
    RETURN NEW;
END $$;
CREATE TRIGGER stamped BEFORE UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION stamp();
INSERT INTO customer (name, mail, tags, told, address, born)
SELECT 'Customer ' || n, 'c' || n || '@example.org', ARRAY['a', 'b'], jsonb_build_object('n', n, 'list', '[1, 2]'::jsonb),
    '192.0.2.1', '2000-01-01'::date + n
FROM generate_series(1, 200) n;
INSERT INTO sale (id, customer, state, total, day, lasts)
SELECT lpad(n::text, 32, '0')::uuid, 1 + n % 200, (ARRAY['new', 'paid', 'sent'])[1 + n % 3]::state, n * 1.25,
    '2025-01-01'::date + n % 700, int4range(n, n + 10)
FROM generate_series(1, 2000) n;
SELECT nextval('invoice') FROM generate_series(1, 7);
REFRESH MATERIALIZED VIEW sales_by_day;
COMMENT ON TABLE customer IS 'people, with umlauts: äöü';
