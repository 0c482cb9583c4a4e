#!/usr/bin/env bash
# Make a virtual environment from the locked requirements and install the checkout into it, editable.
# Usage: packaging/venv.sh PYTHON DIRECTORY
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 venv=$2

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || {
  echo "The gateway needs Python 3.11, 3.12 or 3.13; $python is $("$python" -V 2>&1)." >&2
  echo "Name another one: PYTHON=python3.11 make" >&2
  exit 1
}
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  "$python" -m venv --clear "$venv" || {
    echo "Could not make a virtual environment. On Debian: apt-get install python3-venv" >&2
    exit 1
  }
fi
pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet)
"${pip[@]}" install --require-hashes -r requirements.lock
"${pip[@]}" install --no-deps --no-build-isolation --editable .
