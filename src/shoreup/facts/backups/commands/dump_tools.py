"""The tools that copy a database out of its engine, as a table.

Sources, read 2026-11: the reference pages of pg_dump, pg_dumpall and pg_basebackup (postgresql.org, 17), mysqldump
(dev.mysql.com, 8.4), mariadb-dump and mariadb-backup (mariadb.com/kb), mongodump (mongodb.com, database tools 100),
redis-cli (redis.io), etcdctl (etcd.io, 3.5), influx and influxd (docs.influxdata.com), slapcat (openldap.org), vault
and consul (developer.hashicorp.com).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class DumpTool(Struct, frozen=True):
    """One tool.

    ``products`` are ids of the product data. ``host``, ``uri``, ``database`` and ``file`` are the options that name
    the server, a connection string, the databases and the file or folder that is written; ``environment`` are
    variables that name the server. ``actions`` are words of which one must stand among the plain arguments
    (``snapshot save``). ``plain_database`` and ``plain_file`` say what the last plain argument is.
    ``standard_output`` says that it writes there when no file is named; the ``stream`` options, given without a file,
    say so for this run. ``carries`` is whether it only carries what the server itself writes, so that its own version
    does not matter. ``snapshot`` is whether what it copies is of one moment: ``None`` where its options or the
    engine decide. ``refuses_newer`` is whether it stops at a server that is newer than itself. ``reader`` names a
    further rule in :mod:`shoreup.facts.backups.commands.consistency`.
    """

    products: tuple[str, ...]
    host: tuple[str, ...] = ()
    uri: tuple[str, ...] = ()
    database: tuple[str, ...] = ()
    file: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    valued: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    plain_database: bool = False
    plain_file: bool = False
    plain_first: bool = False
    standard_output: bool = True
    stream: tuple[str, ...] = ()
    carries: bool = False
    snapshot: bool | None = True
    refuses_newer: bool = False
    reader: str = ""

    @property
    def takes_values(self) -> frozenset[str]:
        """Every option that is followed by a value."""
        return frozenset((*self.host, *self.uri, *self.database, *self.file, *self.valued)) - frozenset(self.attached)


_PG = (
    *("-p", "--port", "-U", "--username", "-n", "--schema", "-N", "-t", "--table", "-T", "-Z", "--compress"),
    *("-F", "--format", "-j", "--jobs", "-E", "--encoding"),
)
_MYSQL_VALUED = (
    *("-P", "--port", "-u", "--user", "-S", "--socket", "--ignore-table", "--where", "-w", "--max-allowed-packet"),
    *("--defaults-file", "--defaults-extra-file", "--defaults-group-suffix", "--default-character-set"),
    *("--ssl-mode", "--ssl-ca", "--protocol"),
)

_MYSQLDUMP = DumpTool(
    products=("mysql", "mariadb", "percona-server"),
    host=("-h", "--host"),
    file=("-r", "--result-file", "-T", "--tab"),
    environment=("MYSQL_HOST",),
    valued=_MYSQL_VALUED,
    attached=("-p", "--password"),
    plain_database=True,
    plain_first=True,
    snapshot=None,
    reader="mysqldump",
)
_XTRABACKUP = DumpTool(
    products=("mysql", "mariadb", "percona-server"),
    host=("-H", "--host"),
    file=("--target-dir",),
    valued=("-u", "--user", "--port", "--stream", "--parallel", "--datadir"),
    attached=("-p", "--password"),
    requires=("--backup",),
    standard_output=False,
    stream=("--stream",),
)
_REDIS_CLI = DumpTool(
    products=("redis", "valkey", "keydb", "dragonfly"),
    host=("-h",),
    uri=("-u",),
    file=("--rdb",),
    valued=("-p", "-a", "--user", "--pass", "-n"),
    requires=("--rdb",),
    standard_output=False,
    carries=True,
)

DUMP_TOOLS: Mapping[str, DumpTool] = {
    "pg_dump": DumpTool(
        products=("postgresql",),
        host=("-h", "--host"),
        database=("-d", "--dbname"),
        uri=("-d", "--dbname"),
        file=("-f", "--file"),
        environment=("PGHOST",),
        valued=_PG,
        plain_database=True,
        refuses_newer=True,
    ),
    "pg_dumpall": DumpTool(
        products=("postgresql",),
        host=("-h", "--host"),
        uri=("-d", "--dbname"),
        file=("-f", "--file"),
        environment=("PGHOST",),
        valued=("-p", "--port", "-U", "--username", "-l", "--database", "-E", "--encoding"),
        refuses_newer=True,
    ),
    "pg_basebackup": DumpTool(
        products=("postgresql",),
        host=("-h", "--host"),
        uri=("-d", "--dbname"),
        file=("-D", "--pgdata"),
        environment=("PGHOST",),
        valued=("-p", "--port", "-U", "--username", "-X", "--wal-method", "-F", "--format", "-c", "--checkpoint", "-S"),
        standard_output=False,
        refuses_newer=True,
    ),
    "mysqldump": _MYSQLDUMP,
    "mariadb-dump": _MYSQLDUMP,
    "mydumper": DumpTool(
        products=("mysql", "mariadb", "percona-server"),
        host=("-h", "--host"),
        database=("-B", "--database"),
        file=("-o", "--outputdir"),
        valued=("-u", "--user", "-p", "--password", "-P", "--port", "-t", "--threads"),
        standard_output=False,
        snapshot=None,
    ),
    "mariadb-backup": _XTRABACKUP,
    "mariabackup": _XTRABACKUP,
    "xtrabackup": _XTRABACKUP,
    "mongodump": DumpTool(
        products=("mongodb",),
        host=("-h", "--host"),
        uri=("--uri",),
        database=("-d", "--db"),
        file=("-o", "--out", "--archive"),
        valued=("-u", "--username", "-p", "--password", "--port", "--authenticationDatabase", "-c", "--collection"),
        attached=("--archive",),
        standard_output=False,
        stream=("--archive",),
        snapshot=None,
        reader="mongodump",
    ),
    "redis-cli": _REDIS_CLI,
    "valkey-cli": _REDIS_CLI,
    "etcdctl": DumpTool(
        products=("etcd",),
        host=("--endpoints",),
        valued=("--cacert", "--cert", "--key", "--user"),
        actions=("snapshot save",),
        plain_file=True,
        standard_output=False,
        carries=True,
    ),
    "influx": DumpTool(
        products=("influxdb",),
        host=("--host",),
        valued=("-t", "--token", "-o", "--org", "-b", "--bucket"),
        actions=("backup",),
        plain_file=True,
        standard_output=False,
    ),
    "influxd": DumpTool(
        products=("influxdb",),
        host=("-host",),
        database=("-db", "-database"),
        valued=("-since", "-start", "-end"),
        actions=("backup",),
        plain_file=True,
        standard_output=False,
    ),
    "slapcat": DumpTool(products=("openldap",), file=("-l",), valued=("-b", "-n", "-f", "-F")),
    "vault": DumpTool(
        products=("vault",),
        host=("-address",),
        environment=("VAULT_ADDR",),
        actions=("operator raft snapshot save",),
        plain_file=True,
        standard_output=False,
        carries=True,
    ),
    "consul": DumpTool(
        products=("consul",),
        host=("-http-addr",),
        environment=("CONSUL_HTTP_ADDR",),
        actions=("snapshot save",),
        plain_file=True,
        standard_output=False,
        carries=True,
    ),
}
