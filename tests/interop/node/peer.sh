# node-soap of package-lock.json, installed into the build directory; nothing is compiled: the
# client reads the served description when it is made.
set -eu
if ! cmp -s "$INTEROP_HERE/package-lock.json" node_modules/.lock; then
  cp "$INTEROP_HERE/package.json" "$INTEROP_HERE/package-lock.json" .
  npm ci --ignore-scripts --no-audit --no-fund >&2
  cp package-lock.json node_modules/.lock
fi
cp "$INTEROP_HERE/peer.js" .
exec node peer.js
