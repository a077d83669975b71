#!/bin/sh
# Starts HAProxy: with TLS when a certificate was given, and with the outer proxies that may say who a client is.
set -eu

CERTIFICATE=/run/secrets/tls_certificate

if [ -f "$CERTIFICATE" ]; then
  if [ ! -r "$CERTIFICATE" ]; then
    echo "balancer: the file that FOYER_TLS_CERTIFICATE names must be readable by user $(id -u): chown $(id -u) FILE" >&2
    exit 2
  fi
  export TLS_CERTIFICATE="$CERTIFICATE"
  case ${FOYER_TLS_PORT:-443} in
    443) export TLS_PORT_SUFFIX='' ;;
    *) export TLS_PORT_SUFFIX=":$FOYER_TLS_PORT" ;;
  esac
fi

# Commas or spaces between the networks. Nobody has the address 255.255.255.255.
OUTER_PROXIES=$(printf '%s' "${FOYER_OUTER_PROXIES:-255.255.255.255}" | tr ',' ' ')
export OUTER_PROXIES

haproxy -c -q -f /etc/haproxy/haproxy.cfg || exit 2
exec haproxy -db -f /etc/haproxy/haproxy.cfg
