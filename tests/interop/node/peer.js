// node-soap against the gateway; prints one line for each feature (see tests/interop/rows.py).
'use strict';

const fs = require('fs');
const https = require('https');
const soap = require('soap');

const env = (name) => process.env[`INTEROP_${name}`];
const PEER = env('PEER');
const XOP = 'http://www.w3.org/2004/08/xop/include';
const BYTES = Buffer.from(Array.from({ length: 2048 }, (_, i) => i % 256));
const httpsAgent = new https.Agent({ ca: fs.readFileSync(env('CA')) });

class Gateway {
  static async at({ address = env('HTTP'), port = 'Basic', form = 'singleWsdl', security, ...more } = {}) {
    const made = new Gateway();
    made.port = port;
    made.client = await soap.createClientAsync(
      `${env('HTTP')}?${form}`,
      { forceSoap12Headers: port !== 'Basic' && port !== 'Mtom', ...more },
      address,
    );
    made.client.setEndpoint(address);
    made.client.setSecurity(security || new soap.BasicAuthSecurity(PEER, env('KEY'), { httpsAgent }));
    made.client.on('response', (_, response) => { made.response = response; });
    return made;
  }

  call(operation, args, options = {}, headers = {}) {
    return new Promise((resolve, reject) => {
      this.client.AppealService[this.port][operation](args, (error, result, raw, header, sent, parts) => {
        this.parts = parts;
        return error ? reject(error) : resolve(result);
      }, options, headers);
    });
  }

  /** A header of the answer as it came, before the HTTP library had its way with it. */
  header(name) {
    const raw = this.response.request.res.rawHeaders;
    const at = raw.findIndex((word, i) => i % 2 === 0 && word.toLowerCase() === name);
    return at < 0 ? undefined : raw[at + 1];
  }
}

/** node-soap writes what it is given in the order it is given, so the schema's order is ours to keep. */
function appeal(name, { ReceivedAt, Subject, ...more } = {}) {
  const first = Object.entries({ ReceivedAt, Subject }).filter(([, value]) => value !== undefined);
  const before = Object.fromEntries(first);
  return { Appeal: { ExternalId: `${PEER}-${name}`, ...before, Text: env('TEXT'), ...more } };
}

function must(condition, detail = 'not so') {
  if (!condition) throw new Error(typeof detail === 'string' ? detail : JSON.stringify(detail));
}

async function ping(options, expected = 'PEER') {
  const found = await (await Gateway.at(options)).call('Ping', {});
  must(found.PeerCode === env(expected), found);
}

async function submit(name, options) {
  return (await (await Gateway.at(options)).call('SubmitAppeal', appeal(name))).Receipt;
}

async function stored(name, more) {
  const gateway = await Gateway.at();
  await gateway.call('SubmitAppeal', appeal(name, more));
  const key = { ExternalId: `${PEER}-${name}` };
  return (await gateway.call('GetAppeal', { Key: key, IncludeText: true })).Appeal;
}

/** The fault that the call must end in, as the library parsed it. */
async function fault(work) {
  try {
    await work();
  } catch (error) {
    must(error.root && error.root.Envelope, String(error.message));
    return error.root.Envelope.Body.Fault;
  }
  throw new Error('no fault');
}

async function detail(work, name) {
  const found = await fault(work);
  const inner = (found.detail || found.Detail || {})[name];
  must(inner, found);
  return inner;
}

const token = (user, secret, passwordType) =>
  new soap.WSSecurity(env(user), secret, { passwordType, hasTimeStamp: true, mustUnderstand: true });

/** Sends a file as a part of the package; the name of its message is of the caller's. */
async function attach(gateway, name) {
  await gateway.call('SubmitAppeal', appeal(name));
  const content = { 'xop:Include': { attributes: { 'xmlns:xop': XOP, href: 'cid:file@interop' } } };
  const sent = {
    OwnerKey: { ExternalId: `${PEER}-${name}` }, FileName: 'photo.bin', Content: content,
    MessageKey: `${PEER}-${name}-1`,
  };
  const part = { mimetype: 'application/octet-stream', contentId: 'file@interop', name: 'photo.bin', body: BYTES };
  return (await gateway.call('AttachFile', sent, { forceMTOM: true, attachments: [part] })).AttachmentId;
}

const rows = {
  wsdl: () => ping({ form: 'wsdl' }),
  single_wsdl: () => ping(),
  soap11: async () => (await submit('11')).ReceiptNumber,
  soap12: async () => (await submit('12', { port: 'Soap12' })).ReceiptNumber,
  https: () => ping({ address: env('HTTPS') }),
  basic: () => ping(),
  async basic_refused() {
    const security = new soap.BasicAuthSecurity(PEER, 'gw_0000000000_wrong');
    const gateway = await Gateway.at({ security });
    try {
      await gateway.call('Ping', {});
    } catch (error) {
      must(error.response.status === 401, String(error.message));
      return String(error.message);
    }
    throw new Error('a wrong key was taken');
  },
  async repeat() {
    const [first, again] = [await submit('repeat'), await submit('repeat')];
    must(JSON.stringify(first) === JSON.stringify(again), [first, again]);
  },
  async text() {
    const found = (await stored('text')).Text;
    must(found === env('TEXT'), found);
  },
  async list() {
    const asked = { QuestionIn: [{ Text: 'Первый' }, { Text: 'Второй' }] };
    const found = (await stored('list', { Questions: asked })).Questions.QuestionOut.map((q) => q.Text);
    must(found.join() === 'Первый,Второй', found);
  },
  async instant() {
    const sent = new Date('2026-11-20T09:30:00+03:00');
    const found = (await stored('instant', { ReceivedAt: '2026-11-20T09:30:00+03:00' })).ReceivedAt;
    must(new Date(found).getTime() === sent.getTime(), String(found)); // text, as its type is a simpleType
    return String(found);
  },
  async attachment() {
    const gateway = await Gateway.at();
    await gateway.call('SubmitAppeal', appeal('file'));
    const kept = await gateway.call('AttachFile', {
      OwnerKey: { ExternalId: `${PEER}-file` }, FileName: 'фото.bin', Content: BYTES.toString('base64'),
      MessageKey: `${PEER}-file-1`,
    });
    const found = await gateway.call('GetAttachment', { AttachmentId: kept.AttachmentId });
    must(Buffer.from(found.Content, 'base64').equals(BYTES), 'other bytes');
  },
  async fault_validation() {
    const gateway = await Gateway.at();
    const wrong = appeal('wrong', { ProblemAddress: { Oktmo: '1' } });
    const found = await detail(() => gateway.call('SubmitAppeal', wrong), 'ValidationFault');
    const first = [found.Errors.FieldError].flat()[0]; // a detail is parsed without its type
    must(found.Code === 'validation' && first.Path.endsWith('/ProblemAddress/Oktmo'), found);
    return `${found.Code} ${first.Path} ${first.Code}`;
  },
  async fault_conflict() {
    const gateway = await Gateway.at();
    const number = (await gateway.call('SubmitAppeal', appeal('conflict'))).Receipt.ReceiptNumber;
    const other = appeal('conflict', { Subject: 'Другое' });
    const found = await detail(() => gateway.call('SubmitAppeal', other), 'ConflictFault');
    must(found.ReceiptNumber === number, found);
  },
  async fault_not_found() {
    const gateway = await Gateway.at({ port: 'Soap12' });
    const asked = { Key: { ExternalId: 'нет' } };
    const found = await detail(() => gateway.call('GetAppeal', asked), 'NotFoundFault');
    must(found.Code === 'not_found', found);
  },
  async fault_access() {
    const security = new soap.BasicAuthSecurity(env('BARRED'), env('BARRED_KEY'));
    const gateway = await Gateway.at({ security });
    const found = await detail(() => gateway.call('Ping', {}), 'AccessFault');
    must(found.Code === 'access', found);
  },
  async fault_busy() {
    const gateway = await Gateway.at({ address: env('BUSY') });
    const found = await detail(() => gateway.call('SubmitAppeal', appeal('busy')), 'BusyFault');
    must(Number(found.RetryAfterSeconds) >= 1, found);
    return `RetryAfterSeconds ${found.RetryAfterSeconds}`;
  },
  async must_understand() {
    const gateway = await Gateway.at();
    gateway.client.addSoapHeader('<x:Strange xmlns:x="urn:example:strange" soap:mustUnderstand="1"/>');
    const found = await fault(() => gateway.call('Ping', {}));
    must(/MustUnderstand$/.test(found.faultcode), found);
    return found.faultcode;
  },
  async gzip_request() {
    const gateway = await Gateway.at();
    // Left to itself it announces the length of what is not packed yet.
    await gateway.call('Ping', {}, { forceGzip: true }, { 'Content-Length': undefined });
    must(gateway.response.config.headers['Content-Encoding'] === 'gzip', 'sent plain');
  },
  async gzip_answer() {
    const gateway = await Gateway.at();
    await gateway.call('FindAppeals', { Max: 100 }, {}, { 'Accept-Encoding': 'gzip' });
    must(gateway.header('content-encoding') === 'gzip', 'it came plain');
  },
  async mtom_request() {
    const gateway = await Gateway.at({ port: 'Mtom' });
    const id = await attach(gateway, 'mtom');
    const found = await gateway.call('GetAttachment', { AttachmentId: id });
    must(Buffer.from(found.Content, 'base64').equals(BYTES), 'other bytes');
  },
  async mtom_answer() {
    const gateway = await Gateway.at({ port: 'Mtom', parseReponseAttachments: true });
    const id = await attach(gateway, 'mtom-answer');
    await gateway.call('GetAttachment', { AttachmentId: id }, { forceMTOM: true });
    must(/^multipart\/related/i.test(gateway.header('content-type')), gateway.header('content-type'));
    must(gateway.parts.parts.some((part) => Buffer.from(part.body).equals(BYTES)), 'no such part');
  },
  async client_certificate() {
    const [ca, cert, key] = ['CA', 'TLS_CERT', 'TLS_KEY'].map((name) => fs.readFileSync(env(name)));
    const security = new soap.ClientSSLSecurity(key, cert, ca);
    await ping({ address: env('HTTPS'), security }, 'TLS');
  },
  token_text: () => ping({ port: 'Soap12', security: token('PEER', env('KEY'), 'PasswordText') }),
  token_digest: () => ping({ security: token('DIGEST', env('SECRET'), 'PasswordDigest') }, 'DIGEST'),
  async token_refused() {
    const gateway = await Gateway.at({ security: token('DIGEST', 'wrong', 'PasswordDigest') });
    const found = await fault(() => gateway.call('Ping', {}));
    must(/FailedAuthentication$/.test(found.faultcode), found);
    return found.faultcode;
  },
  async signature() {
    const [key, certificate] = ['SIGNER_KEY', 'SIGNER_CERT'].map((name) => fs.readFileSync(env(name)));
    const signerOptions = { idMode: 'wssecurity' }; // wsu:Id and not Id
    const security = new soap.WSSecurityCert(key, certificate, '', { hasTimeStamp: true, signerOptions });
    await ping({ security }, 'SIGNER');
  },
};

async function main() {
  const version = require('soap/package.json').version;
  console.log(`version\tok\tnode-soap ${version}, node ${process.versions.node}`);
  for (const [name, work] of Object.entries(rows)) {
    let verdict = 'ok';
    let words = '';
    try {
      words = (await work()) || '';
    } catch (error) {
      verdict = 'fail';
      words = error.message;
    }
    console.log(`${name}\t${verdict}\t${String(words).replace(/\s+/g, ' ')}`);
  }
}

main();
