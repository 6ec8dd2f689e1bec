"""Certificates for a broker with TLS and its clients, made by openssl and (JKS) keytool as an operator would."""
import os
import subprocess

PASSWORD = "storepass"
KEY_PASSWORD = "keypass"


def run(*command, text=None):
    done = subprocess.run(command, input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"


class Certificates:
    """Files below folder: CA (ca.pem), identities NAME.p12, NAME.pem, NAME.key."""

    def __init__(self, folder):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self.authority("ca")

    def path(self, name):
        return os.path.join(self.folder, name)

    def authority(self, name):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN={name} of tests", "-keyout", self.path(name + ".key"), "-out", self.path(name + ".pem"))

    def middle(self, name, issuer="ca"):
        """An authority below another; NAME-chain.pem has both."""
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"))
        with open(self.path(name + ".ext"), "w", encoding="utf-8") as extensions:
            extensions.write("basicConstraints=critical,CA:true\nkeyUsage=keyCertSign\n")
        self.sign(name, issuer)
        with open(self.path(name + "-chain.pem"), "w", encoding="utf-8") as chain:
            chain.write(self.text(name + ".pem") + self.text(issuer + ".pem"))

    def sign(self, name, issuer):
        run("openssl", "x509", "-req", "-in", self.path(name + ".csr"), "-CA", self.path(issuer + ".pem"), "-CAkey",
            self.path(issuer + ".key"), "-CAcreateserial", "-days", "30", "-extfile", self.path(name + ".ext"),
            "-out", self.path(name + ".pem"))

    def identity(self, name, names, issuer="ca"):
        """names: subjectAltName. Returns the path of a PKCS12 store."""
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={names}", "-keyout", self.path(name + ".key"), "-out", self.path(name + ".csr"))
        with open(self.path(name + ".ext"), "w", encoding="utf-8") as extensions:
            extensions.write(f"subjectAltName={names}\n")
        self.sign(name, issuer)
        return self.bundle(name, issuer)

    def chain_of(self, issuer):
        chain = self.path(issuer + "-chain.pem")
        return chain if os.path.exists(chain) else self.path(issuer + ".pem")

    def bundle(self, name, issuer="ca"):
        run("openssl", "pkcs12", "-export", "-in", self.path(name + ".pem"), "-inkey", self.path(name + ".key"),
            "-certfile", self.chain_of(issuer), "-name", name, "-passout", "pass:" + PASSWORD,
            "-out", self.path(name + ".p12"))
        return self.path(name + ".p12")

    # -- keytool --

    def expired(self, name):
        """A self-signed identity that was good until yesterday, in a JKS store."""
        run("keytool", "-genkeypair", "-alias", name, "-dname", f"CN={name}", "-keyalg", "EC", "-startdate", "-3d",
            "-validity", "2", "-ext", "san=dns:localhost,ip:127.0.0.1", "-keystore", self.path(name + ".jks"),
            "-storetype", "JKS", "-storepass", PASSWORD, "-keypass", PASSWORD)
        return self.path(name + ".jks")

    def trust_jks(self, name, authority="ca"):
        run("keytool", "-importcert", "-noprompt", "-alias", authority, "-file", self.path(authority + ".pem"),
            "-keystore", self.path(name), "-storetype", "JKS", "-storepass", PASSWORD)
        return self.path(name)

    def identity_jks(self, name):
        """The identity NAME.p12 as JKS, its key under a password of its own."""
        run("keytool", "-importkeystore", "-noprompt", "-srckeystore", self.path(name + ".p12"), "-srcstoretype",
            "PKCS12", "-srcstorepass", PASSWORD, "-alias", name, "-destkeystore", self.path(name + ".jks"),
            "-deststoretype", "JKS", "-deststorepass", PASSWORD, "-destkeypass", KEY_PASSWORD)
        return self.path(name + ".jks")

    def text(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()
