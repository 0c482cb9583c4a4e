// gSOAP against the gateway; prints one line for each feature (see tests/interop/rows.py).
// The classes come from the served description: wsdl2h, soapcpp2 (see peer.sh).

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "Basic.nsmap"
#include "plugin/wsaapi.h"
#include "plugin/wsseapi.h"
#include "soapBasicProxy.h"

using std::string;

static string env(const char *name) {
  const char *value = getenv((string("INTEROP_") + name).c_str());
  return value ? value : "";
}

static const string PEER = env("PEER"), KEY = env("KEY"), TEXT = env("TEXT");

static void must(bool condition, const string &detail = "not so") {
  if (!condition) throw std::runtime_error(detail);
}

static string content() {
  string bytes;
  for (int i = 0; i < 2048; i++) bytes.push_back(char(i % 256));
  return bytes;
}

// wsdl2h puts SOAP 1.2 first as soon as a WSDL speaks of it; this is the table for SOAP 1.1.
static const struct Namespace *table(short version) {
  static std::vector<struct Namespace> first;
  if (version == 2) return namespaces;
  if (first.empty()) {
    for (const struct Namespace *each = namespaces; each->id; each++) first.push_back(*each);
    first.push_back({nullptr, nullptr, nullptr, nullptr});
    for (int i = 0; i < 2; i++) std::swap(first[i].ns, first[i].in);
  }
  return first.data();
}

// One client: a context with the credential, of one SOAP version.
struct Client {
  struct soap *soap;
  BasicProxy proxy;
  string address, user, key;

  explicit Client(short version = 1, string address = env("HTTP"), string user = PEER, string key = KEY,
                  soap_mode mode = 0)
      : soap(soap_new1(SOAP_C_UTFSTRING | mode)), proxy(soap), address(std::move(address)),
        user(std::move(user)), key(std::move(key)) {
    soap_set_namespaces(soap, table(version));
    soap->connect_timeout = soap->recv_timeout = soap->send_timeout = 20;
    proxy.soap_endpoint = this->address.c_str();
  }
  ~Client() {
    proxy.destroy();
    soap_free(soap);
  }
  // gSOAP forgets the credential after a call.
  Client &ready() {
    soap->userid = user.empty() ? nullptr : user.c_str();
    soap->passwd = user.empty() ? nullptr : key.c_str();
    return *this;
  }
  void done(int code) {
    if (code == SOAP_OK) return;
    soap_set_fault(soap);
    const char *words = soap_fault_string(soap);
    throw std::runtime_error(string("error ") + std::to_string(code) + ": " + (words ? words : ""));
  }
  string *text(const string &value) {
    string *made = soap_new_std__string(soap);
    *made = value;
    return made;
  }
  ns1__AppealIn *appeal(const string &name) {
    ns1__AppealIn *made = soap_new_ns1__AppealIn(soap);
    made->ExternalId = PEER + "-" + name;
    made->Text = text(TEXT);
    return made;
  }
  ns1__AppealKey *named(const string &external_id) {
    ns1__AppealKey *made = soap_new_ns1__AppealKey(soap);
    made->ExternalId = text(external_id);
    return made;
  }

  string ping() {
    ns1__Ping request;
    ns1__PingResponse answer;
    done(ready().proxy.Ping(&request, answer));
    return answer.PeerCode;
  }
  int submit(ns1__AppealIn *appeal, ns1__SubmitAppealResponse &answer) {
    ns1__SubmitAppeal request;
    request.Appeal = appeal;
    return ready().proxy.SubmitAppeal(&request, answer);
  }
  string submitted(ns1__AppealIn *appeal) {
    ns1__SubmitAppealResponse answer;
    done(submit(appeal, answer));
    return answer.Receipt->ReceiptNumber;
  }
  ns1__AppealOut *stored(ns1__AppealIn *appeal) {
    string name = appeal->ExternalId;
    submitted(appeal);
    static bool yes = true;
    ns1__GetAppeal request;
    ns1__GetAppealResponse answer;
    request.Key = named(name);
    request.IncludeText = &yes;
    done(ready().proxy.GetAppeal(&request, answer));
    return answer.Appeal;
  }
  string attach(const string &name, const char *type) {
    string bytes = content();
    submitted(appeal(name));
    ns1__AttachFile request;
    ns1__AttachFileResponse answer;
    request.OwnerKey = named(PEER + "-" + name);
    request.FileName = "photo.bin";
    request.MessageKey = PEER + "-" + name + "-1";
    request.Content.__ptr = reinterpret_cast<unsigned char *>(&bytes[0]);
    request.Content.__size = int(bytes.size());
    request.Content.type = const_cast<char *>(type);
    done(ready().proxy.AttachFile(&request, answer));
    return answer.AttachmentId;
  }
  string fetched(const string &id) {
    ns1__GetAttachment request;
    ns1__GetAttachmentResponse answer;
    request.AttachmentId = id;
    done(ready().proxy.GetAttachment(&request, answer));
    return string(reinterpret_cast<char *>(answer.Content.__ptr), size_t(answer.Content.__size));
  }
  // The typed detail of the fault that a call ended in.
  SOAP_ENV__Detail *detail(int code) {
    must(code != SOAP_OK, "no fault");
    must(soap->fault != nullptr, "no fault but error " + std::to_string(code));
    SOAP_ENV__Detail *found = soap->fault->SOAP_ENV__Detail ? soap->fault->SOAP_ENV__Detail : soap->fault->detail;
    must(found != nullptr, "a fault without a detail");
    return found;
  }
};

static string submitted(short version, const string &name, const string &media) {
  Client client(version);
  string number = client.submitted(client.appeal(name));
  string found = client.soap->http_content ? client.soap->http_content : "";
  must(found.compare(0, media.size(), media) == 0, "answered as " + found);
  return number;
}

static void pinged(Client &&client) {
  string found = client.ping();
  must(found == client.user || found == PEER, "PeerCode " + found);
}

static void token_pinged(const string &user, const string &secret, bool digest) {
  Client client(1, env("HTTP"), "");
  soap_register_plugin(client.soap, soap_wsse);
  if (digest)
    soap_wsse_add_UsernameTokenDigest(client.soap, "user", user.c_str(), secret.c_str());
  else
    soap_wsse_add_UsernameTokenText(client.soap, "user", user.c_str(), secret.c_str());
  string found = client.ping();
  must(found == user, "PeerCode " + found);
}

static string signed_ping() {
  Client client(1, env("HTTP"), "");
  struct soap *soap = client.soap;
  soap_register_plugin(soap, soap_wsse);
  soap_set_omode(soap, SOAP_XML_CANONICAL);  // without it gSOAP names no canonicalization
  FILE *file = fopen(env("SIGNER_KEY").c_str(), "r");
  must(file != nullptr, "no key");
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_PrivateKey(file, nullptr, nullptr, nullptr), EVP_PKEY_free);
  fclose(file);
  file = fopen(env("SIGNER_CERT").c_str(), "r");
  must(file != nullptr, "no certificate");
  std::unique_ptr<X509, decltype(&X509_free)> certificate(
      PEM_read_X509(file, nullptr, nullptr, nullptr), X509_free);
  fclose(file);
  must(soap_wsse_add_Timestamp(soap, "Time", 300) == SOAP_OK &&
           soap_wsse_add_BinarySecurityTokenX509(soap, "X509Token", certificate.get()) == SOAP_OK &&
           soap_wsse_add_KeyInfo_SecurityTokenReferenceX509(soap, "#X509Token") == SOAP_OK &&
           soap_wsse_sign_body(soap, SOAP_SMD_SIGN_RSA_SHA256, key.get(), 0) == SOAP_OK,
       "gSOAP could not prepare the signature");
  string found = client.ping();
  must(found == env("SIGNER"), "PeerCode " + found);
  return "";
}

// gSOAP wants the key and its certificate in one file.
static string both(const string &key, const string &certificate) {
  std::ofstream out("pair.pem");
  for (const string &name : {key, certificate}) out << std::ifstream(name).rdbuf();
  return "pair.pem";
}

static string fault_code(struct soap *soap, const string &expected) {
  const char *code = *soap_faultcode(soap);
  must(code && string(code).find(expected) != string::npos, code ? code : "no fault code");
  return code;
}

static std::vector<std::pair<string, std::function<string()>>> rows() {
  return {
      {"soap11", [] { return submitted(1, "11", "text/xml"); }},
      {"soap12", [] { return submitted(2, "12", "application/soap+xml"); }},
      {"addressing", [] {
         Client client(2);
         soap_register_plugin(client.soap, soap_wsa);
         string id = soap_wsa_rand_uuid(client.soap);
         client.done(soap_wsa_request(client.soap, id.c_str(), client.address.c_str(), "urn:gov:appeals:v1/Ping"));
         must(client.ping() == PEER);
         client.done(soap_wsa_check(client.soap));
         must(client.soap->header && client.soap->header->wsa5__RelatesTo &&
              client.soap->header->wsa5__RelatesTo->__item == id, "another RelatesTo");
         return string(client.soap->header->wsa5__Action);
       }},
      {"https", [] {
         Client client(1, env("HTTPS"));
         client.done(soap_ssl_client_context(client.soap, SOAP_SSL_DEFAULT, nullptr, nullptr,
                                             env("CA").c_str(), nullptr, nullptr));
         must(client.ping() == PEER);
         return string();
       }},
      {"basic", [] { pinged(Client(2)); return string(); }},
      {"basic_refused", [] {
         Client client(1, env("HTTP"), PEER, "gw_0000000000_wrong");
         ns1__Ping request;
         ns1__PingResponse answer;
         int code = client.ready().proxy.Ping(&request, answer);
         must(code != SOAP_OK, "a wrong key was taken");
         return string("error ") + std::to_string(code);
       }},
      {"repeat", [] {
         Client c;
         ns1__SubmitAppealResponse first, again;
         c.done(c.submit(c.appeal("repeat"), first));
         ns1__Receipt kept = *first.Receipt;
         c.done(c.submit(c.appeal("repeat"), again));
         must(kept.ReceiptNumber == again.Receipt->ReceiptNumber &&
              kept.AcceptedAt == again.Receipt->AcceptedAt &&
              kept.ContentSha256 == again.Receipt->ContentSha256);
         return kept.ReceiptNumber;
       }},
      {"text", [] {
         Client c;
         string found = *c.stored(c.appeal("text"))->Text;
         must(found == TEXT, found);
         return string();
       }},
      {"list", [] {
         Client c;
         ns1__AppealIn *asked = c.appeal("list");
         asked->Questions = soap_new_ns1__ArrayOfQuestionIn(c.soap);
         for (const char *words : {"Первый", "Второй"}) {
           ns1__QuestionIn *question = soap_new_ns1__QuestionIn(c.soap);
           question->Text = c.text(words);
           asked->Questions->QuestionIn.push_back(question);
         }
         string found;
         for (ns1__QuestionOut *question : c.stored(asked)->Questions->QuestionOut) found += *question->Text + " ";
         must(found == "Первый Второй ", found);
         return found;
       }},
      {"instant", [] {
         Client c;
         time_t sent = 1795156200;  // 2026-11-20T09:30:00+03:00
         ns1__AppealIn *asked = c.appeal("instant");
         asked->ReceivedAt = &sent;
         time_t found = *c.stored(asked)->ReceivedAt;
         must(found == sent, std::to_string(found));
         return std::to_string(found);
       }},
      {"attachment", [] {
         Client c;
         must(c.fetched(c.attach("file", nullptr)) == content(), "other bytes");
         return string();
       }},
      {"fault_validation", [] {
         Client c;
         ns1__SubmitAppealResponse answer;
         ns1__AppealIn *wrong = c.appeal("wrong");
         wrong->ProblemAddress = soap_new_ns1__Address(c.soap);
         wrong->ProblemAddress->Oktmo = c.text("1");
         ns1__ValidationFault *found = c.detail(c.submit(wrong, answer))->ns1__ValidationFault_;
         must(found != nullptr, "another detail");
         ns1__FieldError *first = found->Errors->FieldError.at(0);
         must(found->Code == "validation" && first->Path.find("/ProblemAddress/Oktmo") != string::npos, first->Path);
         return found->Code + " " + first->Path + " " + first->Code;
       }},
      {"fault_conflict", [] {
         Client c;
         ns1__SubmitAppealResponse answer;
         string number = c.submitted(c.appeal("conflict"));
         ns1__AppealIn *other = c.appeal("conflict");
         other->Subject = c.text("Другое");
         ns1__ConflictFault *found = c.detail(c.submit(other, answer))->ns1__ConflictFault_;
         must(found != nullptr && *found->ReceiptNumber == number, "another detail");
         return number;
       }},
      {"fault_not_found", [] {
         Client c(2);
         ns1__GetAppeal request;
         ns1__GetAppealResponse answer;
         request.Key = c.named("нет");
         request.IncludeText = nullptr;
         ns1__NotFoundFault *found = c.detail(c.ready().proxy.GetAppeal(&request, answer))->ns1__NotFoundFault_;
         must(found != nullptr && found->Code == "not_found", "another detail");
         return found->Code;
       }},
      {"fault_access", [] {
         Client c(1, env("HTTP"), env("BARRED"), env("BARRED_KEY"));
         ns1__Ping request;
         ns1__PingResponse answer;
         ns1__AccessFault *found = c.detail(c.ready().proxy.Ping(&request, answer))->ns1__AccessFault_;
         must(found != nullptr && found->Code == "access", "another detail");
         return found->Code;
       }},
      {"fault_busy", [] {
         Client c(2, env("BUSY"));
         ns1__SubmitAppealResponse answer;
         ns1__BusyFault *found = c.detail(c.submit(c.appeal("busy"), answer))->ns1__BusyFault_;
         must(found != nullptr && found->RetryAfterSeconds >= 1, "another detail");
         return "RetryAfterSeconds " + std::to_string(found->RetryAfterSeconds);
       }},
      {"must_understand", [] {
         Client c;
         soap_header(c.soap);
         c.soap->header->strange__Strange = const_cast<char *>("x");
         ns1__Ping request;
         ns1__PingResponse answer;
         int code = c.ready().proxy.Ping(&request, answer);
         must(code != SOAP_OK, "executed");
         return fault_code(c.soap, "MustUnderstand");
       }},
      {"chunked", [] { pinged(Client(1, env("HTTP"), PEER, KEY, SOAP_IO_CHUNK)); return string(); }},
      {"gzip_request", [] { pinged(Client(1, env("HTTP"), PEER, KEY, SOAP_ENC_ZLIB)); return string(); }},
      {"gzip_answer", [] {
         static string coding;
         static int (*parse)(struct soap *, const char *, const char *);
         Client c(1, env("HTTP"), PEER, KEY, SOAP_ENC_ZLIB);
         parse = c.soap->fparsehdr;
         ns1__FindAppeals request;
         ns1__FindAppealsResponse answer;
         c.ready().soap->fparsehdr = [](struct soap *soap, const char *name, const char *value) {
           if (!soap_tag_cmp(name, "Content-Encoding")) coding = value;
           return parse(soap, name, value);
         };
         c.done(c.proxy.FindAppeals(&request, answer));
         must(coding == "gzip", "it came plain");
         return string();
       }},
      {"mtom_request", [] {
         string id = Client(1, env("HTTP"), PEER, KEY, SOAP_ENC_MTOM).attach("mtom", "application/octet-stream");
         must(Client().fetched(id) == content(), "other bytes");
         return id;
       }},
      {"mtom_answer", [] {
         Client c(1, env("HTTP"), PEER, KEY, SOAP_ENC_MTOM);
         string id = c.attach("mtom-answer", "application/octet-stream");
         must(c.fetched(id) == content(), "other bytes");
         must((c.soap->imode & SOAP_ENC_MTOM) || c.soap->mime.list != nullptr, "it came inline");
         return id;
       }},
      {"client_certificate", [] {
         Client client(1, env("HTTPS"), "");
         string pair = both(env("TLS_KEY"), env("TLS_CERT"));
         client.done(soap_ssl_client_context(client.soap, SOAP_SSL_DEFAULT, pair.c_str(), "",
                                             env("CA").c_str(), nullptr, nullptr));
         string found = client.ping();
         must(found == env("TLS"), "PeerCode " + found);
         return string();
       }},
      {"token_text", [] { token_pinged(PEER, KEY, false); return string(); }},
      {"token_digest", [] { token_pinged(env("DIGEST"), env("SECRET"), true); return string(); }},
      {"token_refused", [] {
         Client c(1, env("HTTP"), "");
         soap_register_plugin(c.soap, soap_wsse);
         soap_wsse_add_UsernameTokenDigest(c.soap, "user", env("DIGEST").c_str(), "wrong");
         ns1__Ping request;
         ns1__PingResponse answer;
         int code = c.ready().proxy.Ping(&request, answer);
         must(code != SOAP_OK, "a wrong password was taken");
         return fault_code(c.soap, "FailedAuthentication");
       }},
      {"signature", [] { return signed_ping(); }},
  };
}

int main() {
  std::cout << "version\tok\tgSOAP " << GSOAP_VERSION / 100000 << '.' << GSOAP_VERSION / 1000 % 100 << '.'
            << GSOAP_VERSION % 1000 << std::endl;
  for (const auto &row : rows()) {
    string verdict = "ok", words;
    try {
      words = row.second();
    } catch (const std::exception &error) {
      verdict = "fail";
      words = error.what();
    }
    for (char &c : words)
      if (c == '\n' || c == '\t') c = ' ';
    std::cout << row.first << '\t' << verdict << '\t' << words << std::endl;
  }
}
