#!/bin/sh
# Whether the platform works as it is wired: names lead somewhere, Services have addresses, databases answer.
# Usage: sh smoke.sh    with kubectl and the rights to read Services and EndpointSlices, and to run a command in a pod.
# It changes nothing and reads no Secret. The exit code is 1 where something failed, else 2 where something could not
# be asked. With DATABASES=no it runs nothing in pods, and needs no right to.
set -u
failed=0
open=0

say() {
  printf '%-8s %s\n' "$1" "$2"
  case $1 in
  failed) failed=$((failed + 1)) ;;
  open) open=$((open + 1)) ;;
  esac
}

ask() {
  kubectl --request-timeout=15s "$@" 2>&1
}

# leads NAMESPACE SERVICE: the Service is there, and a pod is ready behind it.
leads() {
  if ! found=$(ask -n "$1" get service "$2" --ignore-not-found -o name); then
    say open "Service $1/$2: kubectl could not ask: $found"
  elif [ -z "$found" ]; then
    say failed "Service $1/$2 is not there: its name resolves to nothing"
  elif ! found=$(ask -n "$1" get endpointslices -l "kubernetes.io/service-name=$2" \
    -o 'jsonpath={range .items[*].endpoints[*]}{.conditions.ready}{"\n"}{end}'); then
    say open "Service $1/$2: kubectl could not ask: $found"
  elif printf '%s\n' "$found" | grep -qx true; then
    say ok "Service $1/$2 has a ready pod"
  else
    say failed "Service $1/$2 has no ready pod: connections are refused"
  fi
}

# answers NAMESPACE WORKLOAD CONTAINER COMMAND...: the database answers its own client.
answers() {
  at="$1 $2 ($3)"
  where=$1 what=$2 which=$3
  shift 3
  [ "${DATABASES:-yes}" = no ] && return
  said=$(ask -n "$where" exec "$what" -c "$which" -- "$@")
  case $? in
  0) say ok "database $at answers" ;;
  126 | 127) say open "database $at: its image has no client" ;;
  *) say failed "database $at does not answer: $(printf '%s' "$said" | tail -n 1)" ;;
  esac
}

# resolves NAMESPACE WORKLOAD CONTAINER NAME: the name resolves where it is used.
resolves() {
  [ "${DATABASES:-yes}" = no ] && return
  said=$(ask -n "$1" exec "$2" -c "$3" -- getent hosts "$4")
  case $? in
  0) say ok "$4 resolves in $1 $2" ;;
  2) say failed "$4 does not resolve in $1 $2" ;;
  *) say open "$4 in $1 $2: could not be asked: $(printf '%s' "$said" | tail -n 1)" ;;
  esac
}

@CHECKS@
[ "$failed" -eq 0 ] || exit 1
[ "$open" -eq 0 ] || exit 2
