<?php
// SoapClient against the gateway; prints one line for each feature (see tests/interop/rows.py).

declare(strict_types=1);

const NS = 'urn:gov:appeals:v1';
const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
const TOKEN = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0';

function env(string $name): string
{
    return (string) getenv("INTEROP_$name");
}

function client(array $options = [], string $form = 'singleWsdl'): SoapClient
{
    $ssl = ['cafile' => env('CA'), 'verify_peer' => true] + ($options['ssl'] ?? []);
    $tls = stream_context_create(['ssl' => $ssl]);
    return new SoapClient(env('HTTP') . "?$form", $options + [
        'location' => env('HTTP'),
        'soap_version' => SOAP_1_1,
        'login' => env('PEER'),
        'password' => env('KEY'),
        'trace' => true,
        'keep_alive' => false,
        'features' => SOAP_SINGLE_ELEMENT_ARRAYS,
        'stream_context' => $tls,
    ]);
}

function appeal(string $name, array $more = []): array
{
    return ['Appeal' => ['ExternalId' => env('PEER') . "-$name", 'Text' => env('TEXT')] + $more];
}

function must(bool $condition, mixed $detail = 'not so'): void
{
    if (!$condition) {
        throw new RuntimeException(is_string($detail) ? $detail : json_encode($detail, JSON_UNESCAPED_UNICODE));
    }
}

function ping(SoapClient $client, string $expected = 'PEER'): void
{
    $peer = $client->Ping()->PeerCode;
    must($peer === env($expected), "PeerCode $peer");
}

function stored(string $name, array $more = []): object
{
    $client = client();
    $client->SubmitAppeal(appeal($name, $more));
    $key = ['ExternalId' => env('PEER') . "-$name"];
    return $client->GetAppeal(['Key' => $key, 'IncludeText' => true])->Appeal;
}

/** The typed detail of the fault that the call must end in. */
function fault(callable $call, string $name): object
{
    try {
        $call();
    } catch (SoapFault $fault) {
        must(isset($fault->detail->$name), "no $name: {$fault->faultcode} {$fault->getMessage()}");
        return $fault->detail->$name;
    }
    throw new RuntimeException('no fault');
}

/** A header that ext/soap does not make itself, as XML. */
function token(string $user, string $secret, bool $digest): SoapHeader
{
    $nonce = random_bytes(16);
    $created = gmdate('Y-m-d\TH:i:s\Z');
    $wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
    $type = TOKEN . ($digest ? '#PasswordDigest' : '#PasswordText');
    $password = $digest ? base64_encode(sha1($nonce . $created . $secret, true)) : $secret;
    $encoding = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary';
    $xml = '<w:Security xmlns:w="' . WSSE . '"><w:UsernameToken><w:Username>' . $user
        . "</w:Username><w:Password Type=\"$type\">$password</w:Password>"
        . "<w:Nonce EncodingType=\"$encoding\">" . base64_encode($nonce) . '</w:Nonce>'
        . "<u:Created xmlns:u=\"$wsu\">$created</u:Created></w:UsernameToken></w:Security>";
    return new SoapHeader(WSSE, 'Security', new SoapVar($xml, XSD_ANYXML), true);
}

function with_token(string $user, string $secret, bool $digest): void
{
    $client = client(['login' => null, 'password' => null]);
    $client->__setSoapHeaders(token(env($user), $secret, $digest));
    ping($client, $user);
}

$rows = [
    'wsdl' => fn () => ping(client(form: 'wsdl')),
    'single_wsdl' => fn () => ping(client()),
    'soap11' => fn () => client()->SubmitAppeal(appeal('11'))->Receipt->ReceiptNumber,
    'soap12' => fn () => client(['soap_version' => SOAP_1_2])->SubmitAppeal(appeal('12'))->Receipt->ReceiptNumber,
    'https' => fn () => ping(client(['location' => env('HTTPS')])),
    'basic' => fn () => ping(client()),
    'basic_refused' => function () {
        try {
            client(['password' => 'gw_0000000000_wrong'])->Ping();
        } catch (SoapFault $fault) {
            return "{$fault->faultcode} {$fault->getMessage()}";
        }
        throw new RuntimeException('a wrong key was taken');
    },
    'repeat' => function () {
        $client = client();
        $first = $client->SubmitAppeal(appeal('repeat'));
        must($first == $client->SubmitAppeal(appeal('repeat')));
    },
    'text' => function () {
        $found = stored('text')->Text;
        must($found === env('TEXT'), $found);
    },
    'list' => function () {
        $asked = ['QuestionIn' => [['Text' => 'Первый'], ['Text' => 'Второй']]];
        $found = array_column(stored('list', ['Questions' => $asked])->Questions->QuestionOut, 'Text');
        must($found === ['Первый', 'Второй'], $found);
    },
    'instant' => function () {
        $found = stored('instant', ['ReceivedAt' => '2026-11-20T09:30:00+03:00'])->ReceivedAt;
        must(new DateTimeImmutable($found) == new DateTimeImmutable('2026-11-20T06:30:00Z'), $found);
        return $found;
    },
    'attachment' => function () {
        $client = client();
        $client->SubmitAppeal(appeal('file'));
        $content = implode('', array_map('chr', range(0, 255)));
        $kept = $client->AttachFile([
            'OwnerKey' => ['ExternalId' => env('PEER') . '-file'], 'FileName' => 'фото.bin',
            'Content' => $content, 'MessageKey' => env('PEER') . '-file-1',
        ]);
        must($client->GetAttachment(['AttachmentId' => $kept->AttachmentId])->Content === $content);
    },
    'fault_validation' => function () {
        $wrong = appeal('wrong', ['ProblemAddress' => ['Oktmo' => '1']]);
        $found = fault(fn () => client()->SubmitAppeal($wrong), 'ValidationFault');
        $errors = $found->Errors->FieldError;  // a detail does not go by SOAP_SINGLE_ELEMENT_ARRAYS
        $first = is_array($errors) ? $errors[0] : $errors;
        must($found->Code === 'validation' && str_ends_with($first->Path, '/ProblemAddress/Oktmo'), $found);
        return "$found->Code $first->Path $first->Code";
    },
    'fault_conflict' => function () {
        $client = client();
        $number = $client->SubmitAppeal(appeal('conflict'))->Receipt->ReceiptNumber;
        $other = appeal('conflict', ['Subject' => 'Другое']);
        $found = fault(fn () => $client->SubmitAppeal($other), 'ConflictFault');
        must($found->ReceiptNumber === $number, $found);
    },
    'fault_not_found' => function () {
        $client = client(['soap_version' => SOAP_1_2]);
        $found = fault(fn () => $client->GetAppeal(['Key' => ['ExternalId' => 'нет']]), 'NotFoundFault');
        must($found->Code === 'not_found', $found);
    },
    'fault_access' => function () {
        $barred = client(['login' => env('BARRED'), 'password' => env('BARRED_KEY')]);
        must(fault(fn () => $barred->Ping(), 'AccessFault')->Code === 'access');
    },
    'fault_busy' => function () {
        $busy = client(['location' => env('BUSY')]);
        $found = fault(fn () => $busy->SubmitAppeal(appeal('busy')), 'BusyFault');
        must($found->RetryAfterSeconds >= 1, $found);
        return "RetryAfterSeconds $found->RetryAfterSeconds";
    },
    'must_understand' => function () {
        $client = client();
        $client->__setSoapHeaders(new SoapHeader('urn:example:strange', 'Strange', 'x', true));
        try {
            $client->Ping();
        } catch (SoapFault $fault) {
            must(str_ends_with($fault->faultcode, 'MustUnderstand'), $fault->faultcode);
            return $fault->faultcode;
        }
        throw new RuntimeException('executed');
    },
    'gzip_request' => function () {
        $client = client(['compression' => SOAP_COMPRESSION_ACCEPT | SOAP_COMPRESSION_GZIP | 6]);
        ping($client);
        must(str_contains($client->__getLastRequestHeaders(), 'Content-Encoding: gzip'));
    },
    'gzip_answer' => function () {
        $client = client(['compression' => SOAP_COMPRESSION_ACCEPT]);
        $client->FindAppeals(['Max' => 100]);
        must(stripos($client->__getLastResponseHeaders(), 'Content-Encoding: gzip') !== false, 'it came plain');
    },
    'cp1251' => function () {  // strings of the program; ext/soap itself always sends UTF-8
        $client = client(['encoding' => 'windows-1251']);
        $text = iconv('UTF-8', 'windows-1251', env('TEXT'));
        $client->SubmitAppeal(['Appeal' => ['ExternalId' => env('PEER') . '-1251', 'Text' => $text]]);
        $key = ['ExternalId' => env('PEER') . '-1251'];
        must($client->GetAppeal(['Key' => $key, 'IncludeText' => true])->Appeal->Text === $text);
    },
    'client_certificate' => fn () => ping(client([
        'location' => env('HTTPS'), 'login' => null, 'password' => null,
        'ssl' => ['local_cert' => env('TLS_CERT'), 'local_pk' => env('TLS_KEY')],
    ]), 'TLS'),
    'token_text' => fn () => with_token('PEER', env('KEY'), false),
    'token_digest' => fn () => with_token('DIGEST', env('SECRET'), true),
    'token_refused' => function () {
        try {
            with_token('DIGEST', 'wrong', true);
        } catch (SoapFault $fault) {
            must(str_contains($fault->faultcode, 'FailedAuthentication'), $fault->faultcode);
            return $fault->faultcode;
        }
        throw new RuntimeException('a wrong password was taken');
    },
];

function say(string $name, string $verdict, string $detail): void
{
    echo "$name\t$verdict\t", preg_replace('/\s+/u', ' ', $detail), "\n";
}

say('version', 'ok', 'PHP ' . PHP_VERSION);
foreach ($rows as $name => $work) {
    try {
        say($name, 'ok', (string) $work());
    } catch (Throwable $error) {
        say($name, 'fail', get_class($error) . ': ' . $error->getMessage());
    }
}
