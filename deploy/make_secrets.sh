#!/bin/sh
# Makes the files that compose.yaml hands out as secrets; what is there already stays.
set -eu
cd "$(dirname "$0")/secrets"
umask 022 # containers of several users read them; the folder itself is its owner's
chmod 700 .

keep() { # keep NAME: standard input becomes the file, unless there is one
    if [ -s "$1" ]; then cat >/dev/null; else cat >"$1"; fi
}
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

random | keep postgres_password
random | keep redis_password
random | keep grafana_password
random | keep stockcast_api_keys
random | keep stockcast_api_admin_keys
printf 'postgresql+psycopg://stockcast:%s@postgres/stockcast' "$(cat postgres_password)" | keep stockcast_database_url
printf 'postgresql+psycopg://stockcast:%s@postgres/mlflow' "$(cat postgres_password)" | keep mlflow_database_url
printf 'redis://:%s@redis:6379/0' "$(cat redis_password)" | keep stockcast_broker_url
if [ ! -s s3_credentials ]; then
    key=$(random)
    secret=$(random)
    printf '[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$key" "$secret" >s3_credentials
    printf '{"identities":[{"name":"mlflow","credentials":[{"accessKey":"%s","secretKey":"%s"}],"actions":["Admin","Read","Write","List","Tagging"]}]}\n' \
        "$key" "$secret" >s3_identities
fi
