"""MariaDB and MySQL: a server of one's own, and its files."""
