#!/usr/bin/env bash
# Fetches the foreign clients that the interop tests use into $SILLOK_CACHE: a Python environment, the jars of
# Apache Kafka and the message definitions inside them. Each part has a stamp named after the hash of its
# version list, so a second call returns at once and a changed version fetches only that part again.
set -euo pipefail

cache=${SILLOK_CACHE:-$HOME/.cache/sillok}
mkdir -p "$cache/stamps"

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

failed=0
once python install_python "${python_packages[@]}" || failed=1
if once clients install_jars clients "${client_artifacts[@]}"; then
  once messages unpack_messages "${client_artifacts[0]}" || failed=1
else
  failed=1
fi
once broker install_jars broker "${broker_artifacts[@]}" || failed=1
exit $failed
