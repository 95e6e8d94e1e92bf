#!/usr/bin/env bash
# run.sh SCRIPT.py [ARGUMENTS]: runs a test with the Python that has the foreign clients, or skips it (77).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${SILLOK_CACHE:-$HOME/.cache/sillok}/venv/bin/python
if [ ! -x "$python" ]; then
  echo "SKIPPED $1: no Python environment with the foreign clients ('./dev setup' makes it)" >&2
  exit 77
fi
export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
exec "$python" "$@"
