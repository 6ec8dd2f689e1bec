"""Every way of logging in to a real Kafka broker, and every way of failing to, with the cause named."""
import base64
import concurrent.futures
import http.server
import itertools
import json
import os
import shutil
import ssl
import subprocess
import threading
import time
import urllib.request

import pytest
from harness import PATIENCE, SLUICE, Sluice, free_port, wait_until, within, write_properties
from kafka_certificates import KEY_PASSWORD, PASSWORD, Certificates
from real_kafka import Broker, Missing, kafka

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required "
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required "
OAUTH = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
ALICE = 'username="alice" password="alice-secret";'
TOPIC = "t-security"


def brokers_side(certificates):
    """Listeners: one with each peculiarity of TLS; SASL with and without TLS."""
    server = certificates.identity("server", "DNS:localhost,IP:127.0.0.1")
    certificates.middle("middle")
    chained = certificates.identity("chained", "DNS:localhost,IP:127.0.0.1", "middle")
    wrong = certificates.identity("elsewhere", "DNS:kafka.example,IP:10.9.8.7")
    stores = {
        "ssl": (server, "PKCS12"), "ssl2": (chained, "PKCS12"), "mtls": (server, "PKCS12"), "sasl_ssl": (server, "PKCS12"),
        "wrongname": (wrong, "PKCS12"), "expired": (certificates.expired("late"), "JKS"),
    }
    config = {
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,MTLS:SSL,WRONGNAME:SSL,SSL2:SSL,"
                                          "EXPIRED:SSL,SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT",
        "listener.name.mtls.ssl.client.auth": "required",
        "listener.name.mtls.ssl.truststore.location": certificates.trust_jks("server-trust.jks"),
        "listener.name.mtls.ssl.truststore.password": PASSWORD,
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
    }
    for listener, (store, kind) in stores.items():
        name = f"listener.name.{listener}.ssl.keystore."
        config.update({name + "location": store, name + "type": kind, name + "password": PASSWORD,
                       f"listener.name.{listener}.ssl.key.password": PASSWORD})
    for listener in ("sasl_ssl", "sasl_plaintext"):
        name = f"listener.name.{listener}."
        config.update({
            name + "plain.sasl.jaas.config": PLAIN + 'user_alice="alice-secret";',
            name + "scram-sha-256.sasl.jaas.config": SCRAM + ";",
            name + "scram-sha-512.sasl.jaas.config": SCRAM + ";",
            name + "oauthbearer.sasl.jaas.config": OAUTH + ";",
        })
    return config


class Cluster:
    def __init__(self, folder):
        self.folder = str(folder)
        self.certificates = Certificates(os.path.join(self.folder, "certificates"))
        self.broker = Broker(os.path.join(self.folder, "broker"),
                             listeners=("PLAINTEXT", "SSL", "SSL2", "MTLS", "WRONGNAME", "EXPIRED", "SASL_SSL",
                                        "SASL_PLAINTEXT"),
                             config=brokers_side(self.certificates),
                             scram=["SCRAM-SHA-256=[name=alice,password=alice-secret]",
                                    "SCRAM-SHA-512=[name=alice,password=alice-secret]"])
        self.count = itertools.count()

    def trust(self, **other):
        return {"ssl.truststore.location": self.certificates.path("trust.jks"), "ssl.truststore.password": PASSWORD,
                **other}

    def tls(self, **other):
        return {"security.protocol": "SSL", **self.trust(), **other}

    def sasl(self, mechanism, jaas, protocol="SASL_PLAINTEXT", **other):
        return {"security.protocol": protocol, "sasl.mechanism": mechanism, "sasl.jaas.config": jaas,
                **(self.trust() if protocol == "SASL_SSL" else {}), **other}

    def topics(self, listener, properties, environment=None):
        """`sluice topics --list` with a client.properties: exit code and what it printed."""
        path = write_properties(os.path.join(self.folder, f"client-{next(self.count)}.properties"), properties)
        done = subprocess.run([SLUICE, "topics", "--list", "--bootstrap-server", self.broker.address(listener),
                               "--command-config", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=PATIENCE, check=False, env={**os.environ, **(environment or {})})
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    for tool in ("keytool", "openssl"):
        if not shutil.which(tool):
            pytest.skip(f"no {tool} to make key stores with")
    try:
        kafka()
        one = Cluster(tmp_path_factory.mktemp("security"))
        one.certificates.trust_jks("trust.jks")
        one.certificates.identity("client", "DNS:client")
        one.certificates.identity_jks("client")
        one.certificates.authority("other")
        one.certificates.trust_jks("other.jks", "other")
        one.certificates.identity("stranger", "DNS:stranger", "other")
        one.broker.start()
    except Missing as missing:
        pytest.skip(f"no Kafka broker: {missing}")
    try:
        one.broker.create_topic(TOPIC)
        yield one
    finally:
        one.broker.stop()


# -- what works --

def tls_cases(cluster):
    files = cluster.certificates
    pem = {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": files.text("ca.pem"), "ssl.keystore.type": "PEM",
           "ssl.keystore.certificate.chain": files.text("client.pem"), "ssl.keystore.key": files.text("client.key")}
    jks = {"ssl.keystore.location": files.path("client.jks"), "ssl.keystore.password": PASSWORD,
           "ssl.key.password": KEY_PASSWORD}
    p12 = {"ssl.keystore.location": files.path("client.p12"), "ssl.keystore.password": PASSWORD,
           "ssl.keystore.type": "PKCS12"}
    return {
        "SSL": ("SSL", cluster.tls()),
        "SSL, the server's own certificate trusted": ("SSL", {
            "security.protocol": "SSL", "ssl.truststore.location": files.path("server.pem"),
            "ssl.truststore.type": "PEM"}),
        "SSL, a certificate in the middle trusted": ("SSL2", {
            "security.protocol": "SSL", "ssl.truststore.location": files.path("middle.pem"),
            "ssl.truststore.type": "PEM"}),
        "SSL, the root of a longer chain trusted": ("SSL2", cluster.tls()),
        "SSL, no check of the host": ("WRONGNAME", cluster.tls(**{"ssl.endpoint.identification.algorithm": ""})),
        "SSL, chosen ciphers": ("SSL", cluster.tls(**{
            "ssl.cipher.suites": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256"})),
        "mutual TLS, JKS": ("MTLS", cluster.tls(**jks)),
        "mutual TLS, PKCS12": ("MTLS", cluster.tls(**p12)),
        "mutual TLS, PEM": ("MTLS", {"security.protocol": "SSL", **pem}),
    }


def sasl_cases(cluster):
    oauth = OAUTH + 'unsecuredLoginStringClaim_sub="alice";'
    return {
        "PLAIN": ("SASL_PLAINTEXT", cluster.sasl("PLAIN", PLAIN + ALICE)),
        "PLAIN over TLS": ("SASL_SSL", cluster.sasl("PLAIN", PLAIN + ALICE, "SASL_SSL")),
        "SCRAM-SHA-256": ("SASL_PLAINTEXT", cluster.sasl("SCRAM-SHA-256", SCRAM + ALICE)),
        "SCRAM-SHA-512 over TLS": ("SASL_SSL", cluster.sasl("SCRAM-SHA-512", SCRAM + ALICE, "SASL_SSL")),
        "OAUTHBEARER": ("SASL_PLAINTEXT", cluster.sasl("OAUTHBEARER", oauth)),
        "OAUTHBEARER over TLS": ("SASL_SSL", cluster.sasl("OAUTHBEARER", oauth, "SASL_SSL")),
    }


def test_matrix(cluster):
    for name, (listener, properties) in {**tls_cases(cluster), **sasl_cases(cluster)}.items():
        code, text = cluster.topics(listener, properties)
        assert code == 0 and TOPIC in text, f"{name}: {code}\n{text}"


def test_pipeline(cluster, tmp_path):
    """A sink that logs in by SCRAM over TLS (worker's keys with and without prefix) reads what is there."""
    cluster.broker.produce(TOPIC, [b"one", b"two"])
    login = cluster.sasl("SCRAM-SHA-256", SCRAM + ALICE, "SASL_SSL")
    worker = {"bootstrap.servers": cluster.broker.address("SASL_SSL"), **login,
              **{"consumer." + key: value for key, value in login.items()},
              "value.converter": "org.apache.kafka.connect.storage.StringConverter"}
    out = str(tmp_path / "out.txt")
    with Sluice(tmp_path, {"lines": {"connector.class": "FileStreamSink", "topics": TOPIC, "file": out}},
                worker) as sluice:
        wait_until(lambda: os.path.exists(out) and open(out, encoding="utf-8").read() == "one\ntwo\n",
                   what="lines in the file:\n" + sluice.text())
        log = "".join(sluice.output)
        assert "alice-secret" not in log and "cannot be honoured" not in log and "is not a key of" not in log


# -- what does not, and how it is told --

def fault_cases(cluster):
    """{name: (listener, properties, words of the error)}"""
    files = cluster.certificates
    other = {"ssl.truststore.location": files.path("other.jks")}
    late = {"ssl.truststore.location": files.path("late.jks")}
    return {
        "wrong-password-plain": ("SASL_PLAINTEXT", cluster.sasl("PLAIN", PLAIN + ALICE.replace("secret", "guess")),
                                 "Authentication failed: Invalid username or password"),
        "wrong-password-scram": ("SASL_SSL", cluster.sasl("SCRAM-SHA-256", SCRAM + ALICE.replace("secret", "guess"),
                                                          "SASL_SSL"),
                                 "invalid credentials with SASL mechanism SCRAM-SHA-256"),
        "wrong-ca": ("SSL", cluster.tls(**other), "is not trusted: its issuer /CN=ca of tests is not in "
                                                  "ssl.truststore.location=" + files.path("other.jks")),
        "wrong-ca-chain": ("SSL2", cluster.tls(**other), "is not trusted: its issuer /CN=ca of tests is not in"),
        "wrong-host": ("WRONGNAME", cluster.tls(), "is not for that host name, but for kafka.example, 10.9.8.7"),
        "expired": ("EXPIRED", cluster.tls(**late), "expired on 20"),
        "no-client-certificate": ("MTLS", cluster.tls(), "the broker asks for a client certificate, and none is set"),
        "untrusted-client": ("MTLS", cluster.tls(**{
            "ssl.keystore.location": files.path("stranger.p12"), "ssl.keystore.type": "PKCS12",
            "ssl.keystore.password": PASSWORD}), "the broker does not accept our certificate"),
        "plaintext-to-ssl": ("SSL", {}, "speaks SSL, but security.protocol is PLAINTEXT"),
        "ssl-to-plaintext": ("PLAINTEXT", cluster.tls(), "does not speak SSL, but security.protocol is SSL"),
        "plaintext-to-sasl": ("SASL_PLAINTEXT", {}, "wants SASL, but security.protocol is PLAINTEXT"),
        "sasl-to-plaintext": ("PLAINTEXT", cluster.sasl("PLAIN", PLAIN + ALICE), "SASL"),
        "no-mechanism": ("SASL_PLAINTEXT", cluster.sasl("OAUTHBEARER", OAUTH + ";"), "unsecuredLoginStringClaim_sub"),
        "store-password": ("SSL", cluster.tls(**{"ssl.truststore.password": "guess"}), "password was incorrect"),
    }


def test_faults_of_tools(cluster):
    def ask(case):
        begin = time.monotonic()
        code, text = cluster.topics(case[0], case[1])
        return code, text, time.monotonic() - begin

    cases = fault_cases(cluster)
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        answers = dict(zip(cases, pool.map(ask, cases.values())))
    for name, (code, text, took) in answers.items():
        assert cases[name][2] in text, f"{name}: {text}"
        assert code in (2, 3) and took < within(10), f"{name}: exit {code} after {took:.1f} s\n{text}"
        assert "secret" not in text and "guess" not in text, f"{name}: {text}"


def test_faults_in_status(cluster, tmp_path):
    """All of them at once, one sink each: within 10 s the task has FAILED, and says why, as does the log."""
    cases = fault_cases(cluster)
    connectors = {
        name: {"connector.class": "FileStreamSink", "topics": TOPIC, "file": str(tmp_path / (name + ".txt")),
               "consumer.override.bootstrap.servers": cluster.broker.address(listener),
               "admin.override.bootstrap.servers": cluster.broker.address(listener),
               **{"consumer.override." + key: value for key, value in properties.items()},
               **{"admin.override." + key: value for key, value in properties.items()}}
        for name, (listener, properties, _) in cases.items()}
    # a source finds out by its producer
    name, (listener, properties, words) = "wrong-password-source", cases["wrong-password-plain"]
    cases[name] = (listener, properties, words)
    (tmp_path / "in.txt").write_text("line\n", encoding="utf-8")
    connectors[name] = {"connector.class": "FileStreamSource", "topic": TOPIC, "file": str(tmp_path / "in.txt"),
                        "producer.override.bootstrap.servers": cluster.broker.address(listener),
                        **{"producer.override." + key: value for key, value in properties.items()}}
    worker = {"bootstrap.servers": cluster.broker.address("PLAINTEXT")}
    with Sluice(tmp_path, connectors, worker) as sluice:
        begin = time.monotonic()
        for name in cases:
            sluice.wait_state(name, "FAILED")
        took = time.monotonic() - begin
        assert took < within(10), f"{took:.1f} s"
        for name, (_, _, words) in cases.items():
            trace = sluice.task(name)["trace"]
            assert words in trace, f"{name}: {trace}"
            sluice.told(words)
            assert "secret" not in trace and "guess" not in trace
        assert "alice-" not in "".join(sluice.output)


# -- tokens of an identity provider --

class Provider(http.server.BaseHTTPRequestHandler):
    """Gives unsecured tokens to who knows the secret; the tokens live for `life` seconds."""
    life = 3600
    asked = []

    def do_POST(self):
        form = self.rfile.read(int(self.headers["Content-Length"])).decode()
        Provider.asked.append((self.headers["Authorization"], form))
        good = self.headers["Authorization"] == "Basic " + base64.b64encode(b"alice:client-secret").decode()
        now = int(time.time())

        def part(value):
            return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

        token = f"{part({'alg': 'none'})}.{part({'sub': 'alice', 'iat': now, 'exp': now + self.life})}."
        body = {"access_token": token, "expires_in": self.life} if good else {"error": "invalid_client"}
        data = json.dumps(body).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def provider():
    Provider.life, Provider.asked = 3600, []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/token"
    server.shutdown()
    server.server_close()
    thread.join()


def oidc(cluster, url, secret="client-secret", **other):
    jaas = OAUTH + f'clientId="alice" clientSecret="{secret}" scope="kafka rw";'
    return cluster.sasl("OAUTHBEARER", jaas, **{
        "sasl.oauthbearer.token.endpoint.url": url, "sasl.login.callback.handler.class":
        "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler", **other})


def test_token_endpoint(cluster, provider):
    code, text = cluster.topics("SASL_PLAINTEXT", oidc(cluster, provider))
    assert code == 0 and TOPIC in text, text
    assert Provider.asked[0][1] == "grant_type=client_credentials&scope=kafka%20rw"
    code, text = cluster.topics("SASL_PLAINTEXT", oidc(cluster, provider, "client-guess"))
    assert code == 3 and f"the token endpoint {provider} answered 401: invalid_client" in text, text
    assert "client-guess" not in text
    code, text = cluster.topics("SASL_PLAINTEXT", oidc(cluster, f"http://127.0.0.1:{free_port()}/"))
    assert code == 3 and "cannot be reached" in text, text


def test_token_endpoint_over_tls(cluster, tmp_path):
    """Its certificate is checked against the trust store among the login module's options."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cluster.certificates.path("server.pem"), cluster.certificates.path("server.key"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    url = f"https://127.0.0.1:{server.server_port}/token"
    try:
        trust = (f'ssl.truststore.location="{cluster.certificates.path("trust.jks")}" '
                 f'ssl.truststore.password="{PASSWORD}";')
        good = oidc(cluster, url)
        code, text = cluster.topics("SASL_PLAINTEXT", {
            **good, "sasl.jaas.config": good["sasl.jaas.config"].rstrip(";") + " " + trust})
        assert code == 0 and TOPIC in text, text
        code, text = cluster.topics("SASL_PLAINTEXT", good)
        assert code == 3 and "cannot be reached" in text and "certificate" in text, text
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_rest_source(cluster, tmp_path):
    """The REST Proxy's `client.` prefix logs its producer in; the admin client has the worker's own keys."""
    topic, port = "t-rest", free_port()
    cluster.broker.create_topic(topic)
    login = cluster.sasl("SCRAM-SHA-512", SCRAM + ALICE, "SASL_SSL")
    worker = {"bootstrap.servers": cluster.broker.address("SASL_SSL"), **login}
    rest = {"connector.class": "RestSource", "listeners": f"http://127.0.0.1:{port}",
            **{"client." + key: value for key, value in login.items()}}
    with Sluice(tmp_path, {"rest": rest}, worker) as sluice:
        sluice.wait_state("rest", "RUNNING")
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/topics/{topic}", json.dumps({"records": [{"value": {"a": 1}}]}).encode(),
            {"Content-Type": "application/vnd.kafka.json.v2+json"})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert json.load(answer)["offsets"][0]["offset"] == 0
        assert cluster.broker.consume(topic, 1)[0].value == b'{"a":1}'
        assert "alice-secret" not in "".join(sluice.output)


def test_token_file(cluster, tmp_path):
    code, text = cluster.topics("SASL_PLAINTEXT", oidc(cluster, f"file://{tmp_path}/none"))
    assert code == 3 and "No such file" in text, text


def test_token_is_refreshed(cluster, provider, tmp_path):
    """Tokens of 4 s: the broker ends sessions with them, the sink goes on for 9 s with new ones."""
    Provider.life = 4
    topic = "t-refresh"
    cluster.broker.create_topic(topic)
    login = oidc(cluster, provider)
    connector = {"connector.class": "FileStreamSink", "topics": topic, "file": str(tmp_path / "out.txt"),
                 **{"consumer.override." + key: value for key, value in login.items()},
                 **{"admin.override." + key: value for key, value in login.items()}}
    worker = {"bootstrap.servers": cluster.broker.address("SASL_PLAINTEXT"), **login,
              "value.converter": "org.apache.kafka.connect.storage.StringConverter"}
    with Sluice(tmp_path, {"lines": connector}, worker) as sluice:
        end, sent = time.monotonic() + 9, 0
        while time.monotonic() < end:
            sent += 1
            cluster.broker.produce(topic, [str(sent).encode()])
            wait_until(lambda: os.path.exists(tmp_path / "out.txt") and
                       len((tmp_path / "out.txt").read_text().split()) >= sent,
                       what=f"record {sent}; asked {len(Provider.asked)} times")
        assert (tmp_path / "out.txt").read_text().split() == [str(number + 1) for number in range(sent)]
        assert len(Provider.asked) >= 3
        sluice.wait_state("lines", "RUNNING", timeout=1)
