# PHP has no compile step: SoapClient reads the served description when it is made.
set -eu
exec php -d display_errors=stderr -d soap.wsdl_cache_enabled=0 "$INTEROP_HERE/peer.php"
