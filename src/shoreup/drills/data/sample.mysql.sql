-- A little of everything that applications put into a MariaDB or MySQL. Statements end with a semicolon at a line's end.
CREATE TABLE customer (
    id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
    name varchar(190) NOT NULL,
    mail varchar(190) UNIQUE,
    told json,
    kind enum('person', 'company') NOT NULL DEFAULT 'person',
    flags set('a', 'b') NOT NULL DEFAULT 'a',
    secret varbinary(16),
    note mediumtext,
    born date,
    since timestamp NOT NULL DEFAULT '2026-01-01 00:00:01',
    length int GENERATED ALWAYS AS (char_length(name)) STORED,
    FULLTEXT KEY by_note (note)
) CHARACTER SET utf8mb4;
CREATE TABLE sale (
    id bigint NOT NULL AUTO_INCREMENT,
    customer bigint NOT NULL,
    total decimal(12, 2) NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT of_customer FOREIGN KEY (customer) REFERENCES customer (id) ON DELETE CASCADE,
    CONSTRAINT not_negative CHECK (total >= 0)
);
INSERT INTO customer (name, mail, told, secret, note, born) VALUES
    ('Ada', 'ada@example.org', '{"n": 1}', x'00ff10', 'äöü', '1990-01-01'),
    ('Bo', 'bo@example.org', '{"n": [1, 2]}', NULL, NULL, NULL),
    ('Cy', NULL, NULL, x'', 'plain', '2000-02-29');
INSERT INTO sale (customer, total, day) SELECT a.id, 1.25 * b.id, '2026-01-01' FROM customer a, customer b;
CREATE VIEW sales AS SELECT c.name, s.total FROM sale s JOIN customer c ON c.id = s.customer;
CREATE TRIGGER stamped BEFORE UPDATE ON customer FOR EACH ROW SET NEW.since = '2026-02-02 00:00:00';
CREATE PROCEDURE worth(IN who bigint) READS SQL DATA SELECT SUM(total) FROM sale WHERE customer = who;
