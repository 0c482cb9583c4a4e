#!/usr/bin/env bash
# Install the Appeals Gateway from this bundle; no network is used.
#
#   ./install.sh [--prefix DIR] [--python PYTHON] [--no-system]
#
# --prefix     where releases live, one directory each, with `current` pointing to one
#              (/opt/appeals-gateway)
# --python     the interpreter; its version must be the one in the file PYTHON
# --no-system  only the release: no user, no configuration, no systemd units
#
# Running it again with the same version makes that release anew. A running service keeps the old
# release until it is restarted. Upgrade and rollback: upgrade-and-rollback.md.
set -euo pipefail
cd "$(dirname "$0")"

prefix=/opt/appeals-gateway system=yes
version=$(cat VERSION) wanted=$(cat PYTHON)
python=python$wanted
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=$2; shift 2 ;;
    --python) python=$2; shift 2 ;;
    --no-system) system=no; shift ;;
    -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "unknown option $1; see --help" >&2; exit 64 ;;
  esac
done

say() { printf '%s\n' "$*"; }
die() { printf 'install: %s\n' "$*" >&2; exit 1; }

sha256sum --quiet --check SHA256SUMS || die "the bundle is damaged; copy it again"
command -v "$python" >/dev/null || die "no $python here; install Python $wanted or name it with --python"
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$found" = "$wanted" ] || die "this bundle is for Python $wanted, and $python is $found"
if [ "$system" = yes ] && [ "$(id -u)" -ne 0 ]; then
  die "run as root, or use --no-system"
fi

release=$prefix/releases/$version
mkdir -p "$prefix/releases"
if [ -e "$release" ]; then
  rm -rf "$release.old"
  mv "$release" "$release.old"
fi
restore() {
  rm -rf "$release"
  if [ -e "$release.old" ]; then mv "$release.old" "$release"; fi
}
trap restore EXIT
"$python" -m venv "$release" || die "could not make a virtual environment; on Debian: apt-get install python3-venv"
"$release/bin/python" -m pip install --disable-pip-version-check --quiet --no-index --no-cache-dir \
  --find-links wheels --only-binary :all: --no-deps --require-hashes -r requirements.txt
"$release/bin/python" -m pip --disable-pip-version-check check
"$release/bin/python" -m compileall -q "$release/lib" || true
mkdir -p "$release/share"
cp -r systemd CHANGELOG.md LICENSE upgrade-and-rollback.md "$release/share/"
trap - EXIT
rm -rf "$release.old"
ln -sfn "releases/$version" "$prefix/current.new"
mv -T "$prefix/current.new" "$prefix/current"
say "installed $version in $release; $prefix/current points to it"

if [ "$system" = yes ]; then
  getent passwd appeals-gateway >/dev/null || useradd --system --home-dir /var/lib/appeals-gateway \
    --shell /usr/sbin/nologin appeals-gateway
  install -d -m 0700 -o appeals-gateway -g appeals-gateway /var/lib/appeals-gateway
  install -d -m 0750 -o root -g appeals-gateway /etc/appeals-gateway
  if [ ! -e /etc/appeals-gateway/gateway.toml ]; then
    printf '# Settings of the gateway; secrets go to the file environment beside it.\n%s\n' \
      'data_dir = "/var/lib/appeals-gateway"' >/etc/appeals-gateway/gateway.toml
    chown root:appeals-gateway /etc/appeals-gateway/gateway.toml
    chmod 0640 /etc/appeals-gateway/gateway.toml
  fi
  for unit in systemd/*.service; do
    sed "s#@PREFIX@#$prefix#g" "$unit" >"/etc/systemd/system/$(basename "$unit")"
  done
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
  say "settings: /etc/appeals-gateway/gateway.toml   data: /var/lib/appeals-gateway"
  say "next:"
  say "  systemctl enable --now gateway-db      # not with an external PostgreSQL"
  say "  runuser -u appeals-gateway -- env GATEWAY_CONFIG=/etc/appeals-gateway/gateway.toml $prefix/current/bin/gateway doctor"
  say "  systemctl enable --now gateway-serve gateway-work"
else
  say "next: $prefix/current/bin/gateway doctor"
fi
