# zeep has no compile step: it reads the served description when it starts. What it signs with is
# installed beside it; without that its program says that it cannot.
set -eu
site="$INTEROP_BUILD/site"
if ! cmp -s "$INTEROP_HERE/requirements.txt" "$site/requirements.txt"; then
  rm -rf "$site"
  "$INTEROP_PYTHON" -m pip --disable-pip-version-check install --quiet --no-deps --only-binary :all: \
    --require-hashes --target "$site" -r "$INTEROP_HERE/requirements.txt" >&2 &&
    cp "$INTEROP_HERE/requirements.txt" "$site/" || true
fi
PYTHONPATH="$site" exec "$INTEROP_PYTHON" "$INTEROP_HERE/peer.py"
