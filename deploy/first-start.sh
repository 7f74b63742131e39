#!/bin/sh
# Makes what docker-compose.yml needs beside the repository: .env and deploy/secrets, each made once and never changed.
# Usage: sh deploy/first-start.sh <host name people type> [https port]
set -eu
umask 077
cd "$(dirname "$0")/.."
host=${1:?"usage: sh deploy/first-start.sh <host name people type> [https port]"}
port=${2:-443}

folder=deploy/secrets
if [ ! -d "$folder" ] && docker volume ls --quiet 2>/dev/null | grep -qx "$(basename "$PWD" | tr 'A-Z' 'a-z')_database"; then
    echo "There is a database, but $folder is gone: new keys would not open it. Put the old folder back (it is yours to keep" >&2
    echo "a copy of), or remove the data first: docker compose down --volumes" >&2
    exit 1
fi
mkdir -p "$folder"

made() { # name: take it from the machine's own randomness, unless it is there
    [ -s "$folder/$1" ] || head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n' > "$folder/$1"
}
for name in secret_key postgres_password owner_password app_password log_owner_password sealer_password backup_password \
    redis_password metrics_token anchor_key; do
    made "$name"
done
[ -s "$folder/backup_key" ] || head -c 32 /dev/urandom | base64 > "$folder/backup_key"
for name in smtp_password sms_token oidc_secret oidc_ca certificate witness_secret; do # what you may put there yourself
    [ -e "$folder/$name" ] || : > "$folder/$name"
done
# the folder is yours alone; a container sees only the files it is given, as another user than you
chmod 0700 "$folder"
chmod 0444 "$folder"/*

if [ ! -e .env ]; then
    origin="https://$host"
    [ "$port" = 443 ] || origin="$origin:$port"
    sed -e "s|^MUSTER_HOST=.*|MUSTER_HOST=$host|" -e "s|^MUSTER_ORIGIN=.*|MUSTER_ORIGIN=$origin|" \
        -e "s|^MUSTER_HTTPS_AT=.*|MUSTER_HTTPS_AT=$port|" deploy/compose.env.example > .env
fi
echo "made: .env and $folder. Keep a copy of $folder/backup_key and $folder/secret_key where neither this machine nor the backup is."
