# JAX-WS RI: wsimport reads the served description, javac compiles what it made. package-info.java
# names the namespace, so it is compiled too; axis-saaj.jar stays off the classpath.
set -eu
say() { printf '%s\t%s\t%s\n' "$@"; }
jars=/usr/share/java/jaxws-rt.jar
rm -rf wsdl singleWsdl classes
mkdir -p wsdl singleWsdl classes

import() { wsimport -Xnocompile -quiet -s "$1" -p appeals "$INTEROP_HTTP?$1" >&2; }
import singleWsdl &
import wsdl
wait $! || true
for form in wsdl singleWsdl; do
  row=$([ "$form" = wsdl ] && echo wsdl || echo single_wsdl)
  if [ -s "$form/appeals/IAppealService.java" ] && [ -s "$form/appeals/package-info.java" ]; then
    say "$row" ok "wsimport, $(ls "$form/appeals" | wc -l) classes"
  else
    say "$row" fail "wsimport wrote no IAppealService"
  fi
done
javac -nowarn -proc:none -encoding UTF-8 -cp "$jars" -d classes wsdl/appeals/*.java "$INTEROP_HERE/Peer.java" >&2
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC --add-opens java.base/java.lang=ALL-UNNAMED \
  -cp "classes:$jars" Peer
