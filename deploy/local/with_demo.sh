#!/bin/sh
# with_demo.sh COMMAND...: runs it with the variables that `make run` left in its data folder; the environment's own win.
set -eu
file=${FOYER_DATA:-.foyer}/demo.env
if [ -r "$file" ]; then
  email=${FOYER_ADMIN_EMAIL:-} password=${FOYER_ADMIN_PASSWORD:-} url=${FOYER_URL:-}
  case $file in /*) ;; *) file=./$file ;; esac
  set -a
  . "$file"
  FOYER_ADMIN_EMAIL=${email:-${FOYER_ADMIN_EMAIL:-}}
  FOYER_ADMIN_PASSWORD=${password:-${FOYER_ADMIN_PASSWORD:-}}
  FOYER_URL=${url:-${FOYER_URL:-}}
  set +a
fi
exec "$@"
