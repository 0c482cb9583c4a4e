// JAX-WS RI against the gateway; prints one line for each feature (see tests/interop/rows.py).
// The package `appeals` comes from the served description: wsimport (see peer.sh).

import appeals.*;
import com.sun.xml.ws.api.SOAPVersion;
import com.sun.xml.ws.api.addressing.AddressingVersion;
import com.sun.xml.ws.api.message.Header;
import com.sun.xml.ws.api.message.Headers;
import com.sun.xml.ws.developer.JAXWSProperties;
import com.sun.xml.ws.developer.WSBindingProvider;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.Authenticator;
import java.net.PasswordAuthentication;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.datatype.XMLGregorianCalendar;
import javax.xml.namespace.QName;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.ws.BindingProvider;
import javax.xml.ws.Holder;
import javax.xml.ws.WebServiceFeature;
import javax.xml.ws.handler.MessageContext;
import javax.xml.ws.soap.AddressingFeature;
import javax.xml.ws.soap.MTOMFeature;
import javax.xml.ws.soap.SOAPFaultException;
import org.w3c.dom.Element;

public final class Peer {
  static final String PEER = env("PEER");
  static final String TEXT = env("TEXT");
  static final ObjectFactory MAKE = new ObjectFactory();
  static final byte[] BYTES = bytes();
  static AppealService service;

  static String env(String name) {
    return System.getenv("INTEROP_" + name);
  }

  static byte[] bytes() {
    byte[] made = new byte[2048];
    for (int i = 0; i < made.length; i++) made[i] = (byte) i;
    return made;
  }

  static void must(boolean condition, Object detail) {
    if (!condition) throw new AssertionError(detail);
  }

  static IAppealService at(String port, String address, String user, String key, WebServiceFeature... features) {
    QName name = new QName("urn:gov:appeals:v1", port);
    IAppealService made = service.getPort(name, IAppealService.class, features);
    Map<String, Object> context = ((BindingProvider) made).getRequestContext();
    context.put(BindingProvider.ENDPOINT_ADDRESS_PROPERTY, address);
    if (user != null) {
      context.put(BindingProvider.USERNAME_PROPERTY, user);
      context.put(BindingProvider.PASSWORD_PROPERTY, key);
    }
    return made;
  }

  static IAppealService at(String port, WebServiceFeature... features) {
    return at(port, env("HTTP"), PEER, env("KEY"), features);
  }

  static void put(IAppealService port, String name, Object value) {
    ((BindingProvider) port).getRequestContext().put(name, value);
  }

  /** Headers of HTTP that go with every call of this port. */
  static void headers(IAppealService port, String name, String value) {
    put(port, MessageContext.HTTP_REQUEST_HEADERS,
        new HashMap<>(Collections.singletonMap(name, Collections.singletonList(value))));
  }

  static String answered(IAppealService port, String name) {
    @SuppressWarnings("unchecked")
    Map<String, List<String>> found = (Map<String, List<String>>)
        ((BindingProvider) port).getResponseContext().get(MessageContext.HTTP_RESPONSE_HEADERS);
    for (Map.Entry<String, List<String>> each : found.entrySet())
      if (name.equalsIgnoreCase(each.getKey())) return each.getValue().get(0);
    return "";
  }

  static AppealIn appeal(String name) {
    AppealIn made = new AppealIn();
    made.setExternalId(PEER + "-" + name);
    made.setText(TEXT);
    return made;
  }

  static AppealKey named(String name) {
    AppealKey made = new AppealKey();
    made.setExternalId(name);
    return made;
  }

  static String ping(IAppealService port, String expected) throws Exception {
    Holder<String> peer = new Holder<>();
    port.ping(new Holder<XMLGregorianCalendar>(), new Holder<String>(), peer, new Holder<String>());
    must(expected.equals(peer.value), "PeerCode " + peer.value);
    return "";
  }

  static String ping(IAppealService port) throws Exception {
    return ping(port, PEER);
  }

  static AppealOut stored(AppealIn appeal) throws Exception {
    IAppealService port = at("Basic");
    port.submitAppeal(appeal);
    return port.getAppeal(named(appeal.getExternalId()), true);
  }

  static String attach(IAppealService port, String name) throws Exception {
    port.submitAppeal(appeal(name));
    Holder<String> id = new Holder<>();
    port.attachFile(named(PEER + "-" + name), "photo.bin", null, null, new Holder<String>(), BYTES,
        PEER + "-" + name + "-1", null, id);
    return id.value;
  }

  static byte[] fetched(IAppealService port, String id) throws Exception {
    Holder<byte[]> content = new Holder<>();
    port.getAttachment(new Holder<>(id), new Holder<String>(), new Holder<String>(), new Holder<Long>(),
        new Holder<String>(), content);
    return content.value;
  }

  static Certificate certificate(String pem) throws Exception {
    try (InputStream in = new FileInputStream(pem)) {
      return CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  /** TLS that trusts the CA of the run and, when told to, shows the client's own certificate. */
  static SSLContext tls(boolean shown) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    store.setCertificateEntry("ca", certificate(env("CA")));
    TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    if (shown) {
      String pem = new String(Files.readAllBytes(Paths.get(env("TLS_KEY"))), StandardCharsets.US_ASCII);
      byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
      PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
      store.setKeyEntry("own", key, new char[0], new Certificate[] {certificate(env("TLS_CERT"))});
    }
    keys.init(store, new char[0]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(shown ? keys.getKeyManagers() : null, trust.getTrustManagers(), null);
    return context;
  }

  static Map<String, Callable<String>> rows() {
    Map<String, Callable<String>> rows = new LinkedHashMap<>();
    rows.put("soap11", () -> at("Basic").submitAppeal(appeal("11")).getReceiptNumber());
    rows.put("soap12", () -> at("Soap12").submitAppeal(appeal("12")).getReceiptNumber());
    rows.put("addressing", Peer::addressing);
    rows.put("https", () -> {
      IAppealService port = at("Basic", env("HTTPS"), PEER, env("KEY"));
      put(port, JAXWSProperties.SSL_SOCKET_FACTORY, tls(false).getSocketFactory());
      return ping(port);
    });
    rows.put("basic", () -> ping(at("Soap12")));
    rows.put("basic_refused", () -> {
      try {
        ping(at("Basic", env("HTTP"), PEER, "gw_0000000000_wrong"));
      } catch (Exception error) {
        return error.getMessage();
      }
      throw new AssertionError("a wrong key was taken");
    });
    rows.put("challenge", () -> {
      Authenticator.setDefault(new Authenticator() {
        @Override protected PasswordAuthentication getPasswordAuthentication() {
          return new PasswordAuthentication(PEER, env("KEY").toCharArray());
        }
      });
      try {
        return ping(at("Basic", env("HTTP"), null, null)) + "java.net.Authenticator";
      } finally {
        Authenticator.setDefault(null);
      }
    });
    rows.put("repeat", () -> {
      Receipt first = at("Basic").submitAppeal(appeal("repeat"));
      Receipt again = at("Basic").submitAppeal(appeal("repeat"));
      must(first.getReceiptNumber().equals(again.getReceiptNumber())
          && first.getAcceptedAt().equals(again.getAcceptedAt())
          && first.getContentSha256().equals(again.getContentSha256()), again.getReceiptNumber());
      return first.getReceiptNumber();
    });
    rows.put("text", () -> {
      String found = stored(appeal("text")).getText();
      must(TEXT.equals(found), found);
      return "";
    });
    rows.put("list", () -> {
      AppealIn asked = appeal("list");
      asked.setQuestions(new ArrayOfQuestionIn());
      for (String words : new String[] {"Первый", "Второй"}) {
        QuestionIn question = new QuestionIn();
        question.setText(words);
        asked.getQuestions().getQuestionIn().add(question);
      }
      StringBuilder found = new StringBuilder();
      for (QuestionOut question : stored(asked).getQuestions().getQuestionOut())
        found.append(question.getText()).append(' ');
      must(found.toString().equals("Первый Второй "), found);
      return found.toString();
    });
    rows.put("instant", () -> {
      XMLGregorianCalendar sent =
          DatatypeFactory.newInstance().newXMLGregorianCalendar("2026-11-20T09:30:00+03:00");
      AppealIn asked = appeal("instant");
      asked.setReceivedAt(MAKE.createAppealInReceivedAt(sent));
      XMLGregorianCalendar found = stored(asked).getReceivedAt();
      must(found.toGregorianCalendar().getTimeInMillis() == sent.toGregorianCalendar().getTimeInMillis(), found);
      return found.toXMLFormat();
    });
    rows.put("attachment", () -> {
      IAppealService port = at("Basic");
      must(Arrays.equals(BYTES, fetched(port, attach(port, "file"))), "other bytes");
      return "";
    });
    faults(rows);
    transport(rows);
    return rows;
  }

  static void faults(Map<String, Callable<String>> rows) {
    rows.put("fault_validation", () -> {
      AppealIn wrong = appeal("wrong");
      wrong.setProblemAddress(new Address());
      wrong.getProblemAddress().setOktmo("1");
      try {
        at("Basic").submitAppeal(wrong);
      } catch (IAppealServiceValidationFaultFaultMessage fault) {
        ValidationFault found = fault.getFaultInfo();
        FieldError first = found.getErrors().getFieldError().get(0);
        must(found.getCode().equals("validation") && first.getPath().endsWith("/ProblemAddress/Oktmo"), first.getPath());
        return found.getCode() + " " + first.getPath() + " " + first.getCode();
      }
      throw new AssertionError("no fault");
    });
    rows.put("fault_conflict", () -> {
      String number = at("Basic").submitAppeal(appeal("conflict")).getReceiptNumber();
      AppealIn other = appeal("conflict");
      other.setSubject("Другое");
      try {
        at("Basic").submitAppeal(other);
      } catch (IAppealServiceConflictFaultFaultMessage fault) {
        must(number.equals(fault.getFaultInfo().getReceiptNumber()), fault.getFaultInfo().getReceiptNumber());
        return number;
      }
      throw new AssertionError("no fault");
    });
    rows.put("fault_not_found", () -> {
      try {
        at("Soap12").getAppeal(named("нет"), null);
      } catch (IAppealServiceNotFoundFaultFaultMessage fault) {
        must(fault.getFaultInfo().getCode().equals("not_found"), fault.getFaultInfo().getCode());
        return fault.getFaultInfo().getCode();
      }
      throw new AssertionError("no fault");
    });
    rows.put("fault_access", () -> {
      try {
        ping(at("Basic", env("HTTP"), env("BARRED"), env("BARRED_KEY")));
      } catch (IAppealServiceAccessFaultFaultMessage fault) {
        must(fault.getFaultInfo().getCode().equals("access"), fault.getFaultInfo().getCode());
        return fault.getFaultInfo().getCode();
      }
      throw new AssertionError("no fault");
    });
    rows.put("fault_busy", () -> {
      try {
        at("Soap12", env("BUSY"), PEER, env("KEY")).submitAppeal(appeal("busy"));
      } catch (IAppealServiceBusyFaultFaultMessage fault) {
        int seconds = fault.getFaultInfo().getRetryAfterSeconds();
        must(seconds >= 1, seconds);
        return "RetryAfterSeconds " + seconds;
      }
      throw new AssertionError("no fault");
    });
    rows.put("must_understand", () -> {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setNamespaceAware(true);
      Element header = factory.newDocumentBuilder().newDocument().createElementNS("urn:example:strange", "x:Strange");
      header.setAttributeNS("http://schemas.xmlsoap.org/soap/envelope/", "s:mustUnderstand", "1");
      IAppealService port = at("Basic");
      ((WSBindingProvider) port).setOutboundHeaders(Headers.create(SOAPVersion.SOAP_11, header));
      try {
        ping(port);
      } catch (SOAPFaultException fault) {
        String code = fault.getFault().getFaultCode();
        must(code.endsWith("MustUnderstand"), code);
        return code;
      }
      throw new AssertionError("executed");
    });
  }

  static void transport(Map<String, Callable<String>> rows) {
    rows.put("client_certificate", () -> {
      IAppealService port = at("Basic", env("HTTPS"), null, null);
      put(port, JAXWSProperties.SSL_SOCKET_FACTORY, tls(true).getSocketFactory());
      return ping(port, env("TLS"));
    });
    rows.put("chunked", () -> {
      IAppealService port = at("Basic");
      put(port, JAXWSProperties.HTTP_CLIENT_STREAMING_CHUNK_SIZE, 64);
      return ping(port);
    });
    rows.put("gzip_request", () -> {
      IAppealService port = at("Basic");
      headers(port, "Content-Encoding", "gzip");
      return ping(port);
    });
    rows.put("gzip_answer", () -> {
      IAppealService port = at("Basic");
      headers(port, "Accept-Encoding", "gzip");
      port.findAppeals(null, null, null, null, null, null, null, null, 100, null,
          new Holder<ArrayOfRegisterLine>(), new Holder<String>(), new Holder<XMLGregorianCalendar>());
      must(answered(port, "Content-Encoding").equals("gzip"), "it came plain");
      return "";
    });
    rows.put("mtom_request", () -> {
      String id = attach(at("Mtom", new MTOMFeature(true, 0)), "mtom");
      must(Arrays.equals(BYTES, fetched(at("Basic"), id)), "other bytes");
      return id;
    });
    rows.put("mtom_answer", () -> {
      IAppealService port = at("Mtom", new MTOMFeature(true, 0));
      must(Arrays.equals(BYTES, fetched(port, attach(port, "mtom-answer"))), "other bytes");
      String type = answered(port, "Content-Type");
      must(type.toLowerCase().startsWith("multipart/related"), type);
      return "";
    });
  }

  static String addressing() throws Exception {
    IAppealService port = at("Ws", new AddressingFeature(true, true));
    String id = "urn:uuid:" + UUID.randomUUID();
    ((WSBindingProvider) port).setOutboundHeaders(Headers.create(AddressingVersion.W3C.messageIDTag, id));
    ping(port);
    String relates = "";
    String action = "";
    for (Header header : ((WSBindingProvider) port).getInboundHeaders()) {
      if (header.getLocalPart().equals("RelatesTo")) relates = header.getStringContent();
      if (header.getLocalPart().equals("Action")) action = header.getStringContent();
    }
    must(relates.equals(id), "RelatesTo " + relates + ", sent " + id);
    return action;
  }

  public static void main(String[] arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    service = new AppealService(new URL(env("HTTP") + "?wsdl"));
    out.println("version\tok\tJAX-WS RI " + com.sun.xml.ws.util.RuntimeVersion.VERSION.toString().split(" ")[2]
        + ", Java " + System.getProperty("java.version"));
    for (Map.Entry<String, Callable<String>> row : rows().entrySet()) {
      String verdict = "ok";
      String words;
      try {
        words = row.getValue().call();
      } catch (Throwable error) {
        verdict = "fail";
        words = String.valueOf(error);
      }
      out.println(row.getKey() + "\t" + verdict + "\t" + words.replaceAll("\\s+", " "));
    }
  }
}
