"""The admin API's listeners: HTTPS, clients' certificates, passwords, headers, pages of other origins."""
import base64
import http.client
import json
import shutil
import ssl
import subprocess

import pytest
from harness import PATIENCE, Sluice, free_port, wait_until

EXTENSION = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"
MODULE = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule"


def openssl(*arguments, cwd):
    subprocess.run(["openssl", *arguments], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A CA, a server's key store (PKCS12, PEM) signed by it, and a client's certificate."""
    folder = tmp_path_factory.mktemp("keys")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=ca", cwd=folder)
    for name in ("server", "client"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr",
                "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", cwd=folder)
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-out", f"{name}.pem", "-days", "2", "-copy_extensions", "copy", cwd=folder)
    openssl("pkcs12", "-export", "-in", "server.pem", "-inkey", "server.key", "-out", "server.p12",
            "-passout", "pass:storepass-7391", cwd=folder)
    with open(folder / "both.pem", "w", encoding="ascii") as both:
        both.write((folder / "server.key").read_text() + (folder / "server.pem").read_text())
    return folder


def get(port, path="/", context=None, headers=None, method="GET"):
    connection = (http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=context) if context
                  else http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE))
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read().decode()
    finally:
        connection.close()


def ends_at_once(sluice):
    """What a worker that cannot start says."""
    try:
        sluice.start()
    except AssertionError:
        pass
    assert sluice.process.wait(PATIENCE) != 0, "it runs:\n" + sluice.text()
    sluice.reader.join(10)
    return sluice.text()


def context_of(keys, client=False, version=None):
    context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
    if client:
        context.load_cert_chain(str(keys / "client.pem"), str(keys / "client.key"))
    if version:
        context.minimum_version = context.maximum_version = version
    return context


@pytest.fixture(scope="module")
def jks(keys):
    if not shutil.which("keytool"):
        pytest.skip("no keytool, which makes JKS stores")
    subprocess.run(["keytool", "-importkeystore", "-srckeystore", "server.p12", "-srcstoretype", "PKCS12",
                    "-srcstorepass", "storepass-7391", "-destkeystore", "server.jks", "-deststoretype", "JKS",
                    "-deststorepass", "storepass-7391"], cwd=keys, check=True, capture_output=True)
    return {"ssl.keystore.location": str(keys / "server.jks"), "ssl.keystore.type": "JKS",
            "ssl.keystore.password": "storepass-7391"}


def test_a_jks_store(keys, jks, tmp_path):
    port = free_port()
    with Sluice(tmp_path, {}, {"listeners": f"https://127.0.0.1:{port}", **jks}):
        assert get(port, context=context_of(keys))[0] == 200


STORES = {
    "pkcs12": {"listeners.https.ssl.keystore.location": "server.p12",
               "listeners.https.ssl.keystore.type": "PKCS12",
               "listeners.https.ssl.keystore.password": "storepass-7391"},
    "pem": {"ssl.keystore.location": "both.pem", "ssl.keystore.type": "PEM"},
}


@pytest.mark.parametrize("store", sorted(STORES))
def test_https(keys, tmp_path, store):
    port = free_port()
    settings = {key: str(keys / value) if key.endswith("location") else value
                for key, value in STORES[store].items()}
    sluice = Sluice(tmp_path, {}, {"listeners": f"https://127.0.0.1:{port},http://127.0.0.1:{free_port()}", **settings})
    with sluice:
        status, _, body = get(port, context=context_of(keys))
        assert status == 200 and json.loads(body)["version"] == "3.9.1"
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            assert get(port, context=context_of(keys, version=version))[0] == 200
        with pytest.raises(ssl.SSLError):
            get(port, context=ssl.create_default_context())  # not signed by anybody it knows


def test_ciphers_and_protocols_by_their_java_names(keys, tmp_path):
    port = free_port()
    sluice = Sluice(tmp_path, {}, {
        "listeners": f"https://127.0.0.1:{port}", "ssl.keystore.location": str(keys / "both.pem"),
        "ssl.keystore.type": "PEM", "ssl.enabled.protocols": "TLSv1.2",
        "ssl.cipher.suites": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"})
    with sluice:
        context = context_of(keys)
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=context)
        connection.connect()
        assert connection.sock.cipher()[:2] == ("ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2")
        connection.close()
        with pytest.raises(ssl.SSLError):
            get(port, context=context_of(keys, version=ssl.TLSVersion.TLSv1_3))


@pytest.mark.parametrize("wanted", ["required", "requested"])
def test_certificates_of_clients(keys, tmp_path, wanted):
    port = free_port()
    settings = {f"listeners.https.ssl.{key}": value for key, value in {
        "keystore.location": str(keys / "both.pem"), "keystore.type": "PEM", "client.auth": wanted,
        "truststore.location": str(keys / "ca.pem"), "truststore.type": "PEM"}.items()}
    with Sluice(tmp_path, {}, {"listeners": f"https://127.0.0.1:{port}", **settings}):
        assert get(port, context=context_of(keys, client=True))[0] == 200
        if wanted == "required":
            with pytest.raises((OSError, http.client.HTTPException)):
                get(port, context=context_of(keys))
        else:
            assert get(port, context=context_of(keys))[0] == 200


def test_a_password_of_a_store_may_be_a_variable_and_is_never_shown(keys, tmp_path):
    port = free_port()
    secrets = tmp_path / "secrets.properties"
    secrets.write_text("store=storepass-7391\n")
    settings = {"config.providers": "file",
                "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
                "listeners.https.ssl.keystore.location": str(keys / "server.p12"),
                "listeners.https.ssl.keystore.type": "PKCS12",
                "listeners.https.ssl.keystore.password": "${file:%s:store}" % secrets}
    sluice = Sluice(tmp_path, {}, {"listeners": f"https://127.0.0.1:{port}", **settings})
    with sluice:
        assert get(port, context=context_of(keys))[0] == 200
        assert "storepass-7391" not in sluice.text()


def test_a_bad_store_is_told(keys, tmp_path):
    sluice = Sluice(tmp_path, {}, {"listeners": f"https://127.0.0.1:{free_port()}",
                                   "ssl.keystore.location": str(keys / "server.p12"),
                                   "ssl.keystore.type": "PKCS12", "ssl.keystore.password": "wrong-7392"})
    text = ends_at_once(sluice)
    assert "server.p12" in text and "password" in text and "wrong-7392" not in text


def with_users(tmp_path, users):
    (tmp_path / "users.properties").write_text(users)
    jaas = tmp_path / "jaas.conf"
    jaas.write_text(f"// who may enter\nOther {{ x.Y required; }};\nKafkaConnect {{\n  {MODULE} required\n"
                    f"  file=\"{tmp_path}/users.properties\";\n}};\n")
    return {"rest.extension.classes": EXTENSION, "java.security.auth.login.config": str(jaas)}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_users_and_passwords(tmp_path):
    with Sluice(tmp_path, {}, with_users(tmp_path, "ann=s3cret:with:colons\nbob=b\n")) as sluice:
        port = sluice.admin_port
        for path in ("/", "/connectors", "/health", "/admin/loggers", "/connector-plugins"):
            assert get(port, path, headers=basic("ann", "s3cret:with:colons"))[0] == 200, path
            for headers in ({}, basic("ann", "no"), basic("carl", "b"), basic("ann", ""),
                            {"Authorization": "Basic !!"}, {"Authorization": "Bearer x"}):
                status, _, body = get(port, path, headers=headers)
                assert (status, body) == (401, "User cannot access the resource."), (path, headers)
        # what workers say to each other has another protection
        assert get(port, "/connectors/x/fence", method="PUT")[0] == 500
        assert "s3cret" not in sluice.text()


def test_no_users_means_everybody(tmp_path):
    with Sluice(tmp_path, {}, with_users(tmp_path, "# nobody\n")) as sluice:
        assert get(sluice.admin_port)[0] == 200


def test_kafka_opts_names_the_jaas_file(tmp_path, monkeypatch):
    settings = with_users(tmp_path, "ann=pw\n")
    jaas = settings.pop("java.security.auth.login.config")
    monkeypatch.setenv("KAFKA_OPTS", f"-Xmx1g -Djava.security.auth.login.config={jaas} -Dx=y")
    with Sluice(tmp_path, {}, settings) as sluice:
        assert get(sluice.admin_port)[0] == 401
        assert get(sluice.admin_port, headers=basic("ann", "pw"))[0] == 200


@pytest.mark.parametrize("settings, word", [
    ({"rest.extension.classes": EXTENSION}, "java.security.auth.login.config"),
    ({"rest.extension.classes": EXTENSION, "java.security.auth.login.config": "/no/such"}, "/no/such"),
    ({"response.http.headers.config": "put X:y"}, "response.http.headers.config"),
    ({"ssl.client.auth": "perhaps"}, "ssl.client.auth"),
])
def test_bad_settings_end_the_start(tmp_path, settings, word):
    assert word in ends_at_once(Sluice(tmp_path, {}, settings))


def test_headers_of_every_answer(tmp_path):
    config = 'set X-Frame-Options:DENY, "add Cache-Control: no-cache, no-store", setDate Expires: 0'
    with Sluice(tmp_path, {}, {"response.http.headers.config": config}) as sluice:
        for path in ("/", "/no/such"):
            headers = dict(get(sluice.admin_port, path)[1])
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Cache-Control"] == "no-cache, no-store"
            assert headers["Expires"] == "Thu, 01 Jan 1970 00:00:00 GMT"


def test_other_origins(tmp_path):
    settings = {"access.control.allow.origin": "http://*.example.com", "access.control.allow.methods": "GET,PUT"}
    with Sluice(tmp_path, {}, settings) as sluice:
        port = sluice.admin_port
        good, bad = {"Origin": "http://a.example.com"}, {"Origin": "http://evil.com"}
        assert dict(get(port, headers=good)[1])["Access-Control-Allow-Origin"] == good["Origin"]
        assert "Access-Control-Allow-Origin" not in dict(get(port, headers=bad)[1])
        asked = {**good, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "Content-Type"}
        status, headers, _ = get(port, "/connectors", headers=asked, method="OPTIONS")
        assert status == 200 and dict(headers)["Access-Control-Allow-Methods"] == "GET,PUT"
        asked["Access-Control-Request-Method"] = "DELETE"
        assert "Access-Control-Allow-Methods" not in dict(get(port, "/connectors", headers=asked, method="OPTIONS")[1])


def test_admin_listeners(tmp_path):
    port = free_port()
    with Sluice(tmp_path, {}, {"admin.listeners": f"http://127.0.0.1:{port}"}) as sluice:
        assert get(sluice.admin_port, "/admin/loggers")[0] == 404
        assert get(port, "/admin/loggers")[0] == 200
        assert get(port, "/connectors")[0] == 404
        assert get(sluice.admin_port, "/connectors")[0] == 200


def test_admin_listeners_may_be_off(tmp_path):
    with Sluice(tmp_path, {}, {"admin.listeners": ""}) as sluice:
        assert get(sluice.admin_port, "/admin/loggers")[0] == 404
        assert get(sluice.admin_port, "/connectors")[0] == 200


def test_several_listeners(tmp_path):
    ports = [free_port() for _ in range(3)]
    listeners = ",".join(f"HTTP://127.0.0.1:{port}" for port in ports)
    with Sluice(tmp_path, {}, {"listeners": listeners}):
        assert [get(port)[0] for port in ports] == [200, 200, 200]


def test_limits(tmp_path):
    with Sluice(tmp_path, {}) as sluice:
        port = sluice.admin_port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("POST", "/connectors", b"x" * (9 << 20), {"Content-Type": "application/json"})
            assert connection.getresponse().status == 413
        except OSError:
            pass  # it is closed before all is sent
        finally:
            connection.close()
        assert get(port, "/connectors/" + "a" * 100000)[0] in (414, 431)
        assert get(port)[0] == 200


def test_requests_are_logged_as_connect_does(tmp_path):
    with Sluice(tmp_path, {}) as sluice:
        get(sluice.admin_port, "/connectors?expand=info", headers={"User-Agent": "me/1"})
        line = wait_until(lambda: [line for line in sluice.output if "/connectors" in line], what="the line")
        assert '"GET /connectors' in line[0] and " 200 2 " in line[0] and '"me/1"' in line[0]
        assert "RestServer" in line[0]
