#!/bin/sh
# Keeps the databases as they are, before a newer version changes them: NAME-TIME.dump for pg_restore, the newest $KEEP of
# each. Where the server is and who asks stands in PGHOST and PGUSER, the password in the file $PASSWORD_FILE.
set -eu
umask 077
PGPASSWORD=$(cat "$PASSWORD_FILE")
export PGPASSWORD
time=$(date -u +%Y%m%dT%H%M%SZ)

for name in $DATABASES; do
    # What has just been installed has nothing to keep.
    tables=$(psql --no-psqlrc --tuples-only --no-align --dbname="$name" --command="SELECT count(*) FROM pg_tables
        WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
    if [ "$tables" -eq 0 ]; then continue; fi
    pg_dump --format=custom --file="$BACKUPS/$name.part" --dbname="$name"
    mv "$BACKUPS/$name.part" "$BACKUPS/$name-$time.dump"
    echo "kept $BACKUPS/$name-$time.dump"
    find "$BACKUPS" -name "$name-*.dump" | sort -r | tail -n "+$((KEEP + 1))" | xargs -r rm --
done
