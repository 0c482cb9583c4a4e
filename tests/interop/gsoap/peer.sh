# gSOAP: wsdl2h reads the served description, soapcpp2 makes C++ of it, g++ compiles all of it.
set -eu
say() { printf '%s\t%s\t%s\n' "$@"; }
shared=/usr/share/gsoap
flags="$(pkg-config --cflags gsoapssl++) -O0 -w -I. -I$shared -I$shared/plugin"

# Both forms of the description must declare the same, comments aside.
for form in wsdl singleWsdl; do
  wsdl2h -o "$form.h" "$INTEROP_HTTP?$form" >&2
  g++ -fpreprocessed -E -P -x c++ "$form.h" >"$form.plain"
done
[ -s wsdl.plain ] && say wsdl ok wsdl2h || say wsdl fail "wsdl2h wrote nothing"
if difference=$(diff wsdl.plain singleWsdl.plain); then
  say single_wsdl ok "wsdl2h, the same as from ?wsdl"
else
  say single_wsdl fail "$(head -3 <<<"$difference" | tr '\n\t' '  ')"
fi

# The headers of WS-Security, which the WSDL does not ask for on every port, and one of nobody's.
sed 's/^#import "wsa5.h".*/&\n#import "wsse.h"/' wsdl.h >appeals.h
cat >>appeals.h <<'END'
//gsoap strange schema namespace: urn:example:strange
mutable struct SOAP_ENV__Header
{
  mustUnderstand char *strange__Strange;
};
END
soapcpp2 -C -x -w -j -I"$shared/import" appeals.h >&2
rm -f ./*.o
# Two at a time, the largest first.
for source in soapC.cpp soapBasicProxy.cpp "$INTEROP_HERE/peer.cpp" "$shared"/plugin/wsseapi.cpp \
  "$shared"/plugin/{smdevp,mecevp,wsaapi,threads}.c "$shared/custom/struct_timeval.c"; do
  echo "$source"
done | xargs -P 2 -n 1 sh -c 'exec g++ '"$flags"' -c "$0" -o "$(basename "$0").o"' >&2
g++ ./*.o $(pkg-config --libs gsoapssl++) -lssl -lcrypto -lz -lpthread -o peer >&2
exec ./peer
