# Carries the data of a PostgreSQL over to the next major version, in the image of the new one, while no server runs.
# OLD, NEW: major versions. DATA: the data directory, a folder of its volume. Killed at any moment it can run again.
set -eu
: "${PGUSER:=postgres}" "${OLD_BIN:=/usr/lib/postgresql/$OLD/bin}" "${NEW_BIN:=/usr/lib/postgresql/$NEW/bin}"
export PGUSER
beside="$DATA.upgrade"
if [ ! -e "$DATA" ] && [ -e "$beside/new" ]; then mv "$beside/new" "$DATA"; fi
if [ "$(cat "$DATA/PG_VERSION")" = "$NEW" ]; then echo "The data is of version $NEW."; exit 0; fi
if [ "$(cat "$DATA/PG_VERSION")" != "$OLD" ]; then echo "The data is not of version $OLD." >&2; exit 1; fi
if [ -e "$DATA/postmaster.pid" ] && [ ! -e "$beside/asking" ]; then
  echo "A server has these files, or was killed with them: stop it in order first." >&2
  exit 1
fi
if [ ! -x "$OLD_BIN/postgres" ]; then
  sed -i "s/main\$/main $OLD/" /etc/apt/sources.list.d/pgdg.list
  apt-get update -q
  apt-get install -qy --no-install-recommends "postgresql-$OLD"
fi
owner() { if [ "$(id -u)" = 0 ]; then gosu postgres "$@"; else "$@"; fi; }
sockets=$(owner mktemp -d)
if [ "$(id -u)" = 0 ]; then install -d -o postgres -g postgres -m 700 "$beside"; else mkdir -p "$beside"; fi
cd "$beside"
owner rm -rf "$beside/new"
owner touch "$beside/asking"
halt() { owner "$OLD_BIN/pg_ctl" stop -D "$DATA" -w -m fast >"$beside/halted" 2>&1 || true; }
trap halt EXIT
owner "$OLD_BIN/pg_ctl" start -D "$DATA" -w -l "$beside/log" -o "-c listen_addresses='' -c archive_mode=off -k $sockets"
ask() { owner "$OLD_BIN/psql" -XAtw -h "$sockets" -d postgres -c "SELECT $1 FROM pg_database WHERE datname = 'template0'"; }
encoding=$(ask 'pg_encoding_to_char(encoding)')
collate=$(ask datcollate)
ctype=$(ask datctype)
provider=$(ask "coalesce(to_jsonb(pg_database) ->> 'datlocprovider', 'c')")
checksums=$(ask "current_setting('data_checksums')")
owner "$OLD_BIN/pg_ctl" stop -D "$DATA" -w -m fast
trap - EXIT
rm "$beside/asking"
if [ "$provider" != c ]; then echo "Its locale is not the C library's: upgrade it by hand." >&2; exit 1; fi
case $checksums in on) sums=--data-checksums ;; *) if [ "$NEW" -ge 18 ]; then sums=--no-data-checksums; else sums=; fi ;; esac
owner "$NEW_BIN/initdb" -D "$beside/new" -U "$PGUSER" --encoding="$encoding" --lc-collate="$collate" --lc-ctype="$ctype" \
  --locale-provider=libc $sums >"$beside/initdb.log"
owner "$NEW_BIN/pg_upgrade" -b "$OLD_BIN" -B "$NEW_BIN" -d "$DATA" -D "$beside/new" -U "$PGUSER" -s "$sockets"
for name in postgresql.conf postgresql.auto.conf pg_hba.conf pg_ident.conf; do
  if [ -e "$DATA/$name" ]; then owner cp -p "$DATA/$name" "$beside/new/$name"; fi
done
owner "$NEW_BIN/postgres" -C config_file -D "$beside/new" >"$beside/accepted"
rm -f "$beside/delete_old_cluster.sh"
sync
mv "$DATA" "$beside/old-$OLD"
mv "$beside/new" "$DATA"
sync
echo "The data is of version $NEW; the old files are in $beside/old-$OLD. Now start the new image, and run vacuumdb --all --analyze-in-stages."
