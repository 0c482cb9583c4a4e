# Mono WCF: svcutil reads the served description, mcs compiles what it made with Contract.cs, which
# adds what Mono's svcutil leaves out. The CA goes into a trust store of the run's own HOME.
set -eu
say() { printf '%s\t%s\t%s\n' "$@"; }
export HOME=$PWD/home
rm -rf "$HOME"
mkdir -p "$HOME"
cert-sync --quiet --user "$INTEROP_CA" >&2
openssl pkcs12 -export -legacy -passout pass:interop \
  -inkey "$INTEROP_TLS_KEY" -in "$INTEROP_TLS_CERT" -out own.p12

svcutil -noLogo -noConfig -out:service.cs "$INTEROP_HTTP?singleWsdl" >&2
if grep -q 'interface IAppealService' service.cs; then
  say single_wsdl ok "svcutil, $(grep -c 'partial class' service.cs) types"
else
  say single_wsdl fail "svcutil wrote no IAppealService"
fi
if svcutil -noLogo -noConfig -out:mex.cs "$INTEROP_HTTP/mex" >&2 && grep -q 'interface IAppealService' mex.cs; then
  say mex_tool ok "svcutil, $(grep -c 'partial class' mex.cs) types"
else
  say mex_tool fail "svcutil wrote no IAppealService"
fi
mcs -nologo -warn:0 -target:exe -out:peer.exe -r:System.ServiceModel -r:System.Runtime.Serialization \
  service.cs "$INTEROP_HERE/Contract.cs" "$INTEROP_HERE/Peer.cs" >&2
exec mono peer.exe
