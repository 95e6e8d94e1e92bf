#!/usr/bin/env bash
# Writes the golden bytes anew: encoded ones by the Java message classes, recorded ones from live clients.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
cache=${SILLOK_CACHE:-$HOME/.cache/sillok}
golden=$(cd .. && pwd)/protocol/golden
rm -f "$golden"/*.hex "$golden"/*.json
java -cp "$cache/java/clients/*" GoldenEncoder.java "$cache/kafka-messages" "$golden"
metadata=$(cd .. && pwd)/broker/golden_metadata
rm -f "$metadata"/*.hex "$metadata"/*.json
java -cp "$cache/java/broker/*" GoldenMetadata.java "$metadata"
SILLOK_INTEROP_TARGET=kafka bash run.sh capture_golden.py "$golden"
