"""Amazon MSK with IAM, as far as a client sees it: a broker that takes SASL/OAUTHBEARER tokens and checks them as
strictly as it can (signatures by botocore, an implementation of its own), and STS that hands out roles."""
import base64
import calendar
import http.server
import secrets
import socketserver
import ssl
import struct
import threading
import time
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials


class Refused(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Refused(what)


def parse_time(text):
    return calendar.timegm(time.strptime(text, "%Y%m%dT%H%M%SZ"))


class Account:
    """Keys that exist: {access key: (secret, session token or None)}, roles that may be assumed."""

    def __init__(self, access_key, secret, role, region="us-east-1"):
        self.keys = {access_key: (secret, None)}
        self.role, self.region = role, region
        self.sessions = []  # of roles: name, external id
        self.accepted = []  # access keys of good tokens
        self.refusals = []

    def credentials(self, access_key, token):
        need(access_key in self.keys, f"no such access key {access_key}")
        secret, session = self.keys[access_key]
        need(session == token, "the session token is not that of the access key")
        return botocore.credentials.Credentials(access_key, secret, session)

    def check_token(self, token):
        """A token of the OAUTHBEARER mechanism; returns when it expires."""
        need("=" not in token and "+" not in token and "/" not in token, "not base64url without padding")
        url = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        parts = urllib.parse.urlsplit(url)
        pairs = urllib.parse.parse_qsl(parts.query, strict_parsing=True)
        query = dict(pairs)
        need(len(pairs) == len(query), "a parameter comes twice")
        need(parts.scheme == "https" and parts.netloc == f"kafka.{self.region}.amazonaws.com" and parts.path == "/",
             "not the host and path of MSK")
        need(query["Action"] == "kafka-cluster:Connect", "not the action of MSK")
        need(query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256" and query["X-Amz-SignedHeaders"] == "host", "algorithm")
        need(query["X-Amz-Expires"] == "900", "lives too long")
        need("sluice/" in query["User-Agent"], "no user agent")
        date = query["X-Amz-Date"]
        need(abs(parse_time(date) - time.time()) < 300, "too old, or of the future")
        access_key, day, region, service, end = query["X-Amz-Credential"].split("/")
        need((day, region, service, end) == (date[:8], self.region, "kafka-cluster", "aws4_request"), "scope")
        # what is signed is all but signature and user agent, in whatever order it stands
        kept = [pair for pair in parts.query.split("&")
                if not pair.startswith(("X-Amz-Signature=", "User-Agent="))]
        need(parts.query.split("&")[-1].startswith("User-Agent="), "the user agent is not behind the signature")
        credentials = self.credentials(access_key, query.get("X-Amz-Security-Token"))
        signer = botocore.auth.SigV4QueryAuth(credentials, service, region, expires=900)
        request = botocore.awsrequest.AWSRequest("GET", f"https://{parts.netloc}/?" + "&".join(kept))
        request.context["timestamp"] = date
        text = signer.string_to_sign(request, signer.canonical_request(request))
        need(signer.signature(text, request) == query["X-Amz-Signature"], "SignatureDoesNotMatch")
        self.accepted.append(access_key)
        return parse_time(date) + 900

    def assume_role(self, headers, body):
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        need(form["Action"] == "AssumeRole" and form["Version"] == "2011-06-15", "not AssumeRole")
        need(form["RoleArn"] == self.role, "AccessDenied: no such role, or not for you")
        authorization = headers["Authorization"]
        fields = dict(part.split("=", 1) for part in authorization.split(" ", 1)[1].split(", "))
        access_key, _, region, service, _ = fields["Credential"].split("/")
        need(service == "sts", "not for STS")
        signer = botocore.auth.SigV4Auth(self.credentials(access_key, headers.get("x-amz-security-token")), service,
                                         region)
        request = botocore.awsrequest.AWSRequest("POST", f"http://{headers['Host']}/", data=body)
        for name in fields["SignedHeaders"].split(";"):
            request.headers[name] = headers[name]
        request.context["timestamp"] = headers["x-amz-date"]
        text = signer.string_to_sign(request, signer.canonical_request(request))
        need(signer.signature(text, request) == fields["Signature"], "SignatureDoesNotMatch")
        self.sessions.append((form["RoleSessionName"], form.get("ExternalId")))
        key, secret, token = "ASIA" + secrets.token_hex(8).upper(), secrets.token_urlsafe(30), secrets.token_urlsafe(90)
        self.keys[key] = (secret, token)
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        return (f"<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>"
                f"{secret}</SecretAccessKey><SessionToken>{token}</SessionToken><Expiration>{expires}</Expiration>"
                "</Credentials></AssumeRoleResult></AssumeRoleResponse>").encode()


# -- STS --

class StsHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, answer = 200, self.server.account.assume_role(self.headers, body)
        except Refused as refused:
            self.server.account.refusals.append(str(refused))
            code = str(refused).split(":", maxsplit=1)[0]
            status = 403
            answer = f"<ErrorResponse><Error><Code>{code}</Code><Message>{refused}</Message></Error></ErrorResponse>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


# -- the broker --

def string(text):
    return struct.pack(">h", -1) if text is None else struct.pack(">h", len(text)) + text.encode()


class BrokerHandler(socketserver.BaseRequestHandler):
    """ApiVersions, SaslHandshake, SaslAuthenticate, Metadata."""

    def read(self, size):
        data = b""
        while len(data) < size:
            more = self.request.recv(size - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def handle(self):
        authenticated = False
        try:
            if self.server.tls:
                self.request = self.server.tls.wrap_socket(self.request, server_side=True)
            while True:
                body = self.read(struct.unpack(">i", self.read(4))[0])
                api, version, correlation, size = struct.unpack(">hhih", body[:10])
                rest = body[10 + max(size, 0):]
                if api == 18:
                    answer = self.api_versions(version)
                elif api == 17:
                    answer = struct.pack(">hi", 0, 1) + string("OAUTHBEARER")
                elif api == 36:
                    authenticated, answer = self.authenticate(rest, version)
                elif api == 3 and authenticated:
                    answer = self.metadata()
                else:
                    return
                self.request.sendall(struct.pack(">ii", len(answer) + 4, correlation) + answer)
        except (ConnectionError, OSError):
            pass

    @staticmethod
    def api_versions(version):
        known = ((3, 0, 4), (17, 0, 1), (18, 0, 3), (36, 0, 1))
        if version >= 3:
            return (struct.pack(">hB", 0, len(known) + 1)
                    + b"".join(struct.pack(">hhhB", *one, 0) for one in known) + struct.pack(">iB", 0, 0))
        return struct.pack(">hi", 0, len(known)) + b"".join(struct.pack(">hhh", *one) for one in known)

    def authenticate(self, rest, version):
        message = rest[4:4 + struct.unpack(">i", rest[:4])[0]].decode()
        account = self.server.account
        try:
            need(message.startswith("n,,\x01auth=Bearer ") and message.endswith("\x01\x01"), "not OAUTHBEARER")
            expires = account.check_token(message[len("n,,\x01auth=Bearer "):].split("\x01")[0])
        except Refused as refused:
            account.refusals.append(str(refused))
            return False, struct.pack(">h", 58) + string(f"Access denied: {refused}") + struct.pack(">i", 0) + (
                struct.pack(">q", 0) if version >= 1 else b"")
        life = int((expires - time.time()) * 1000)
        return True, struct.pack(">h", 0) + string(None) + struct.pack(">i", 0) + (
            struct.pack(">q", life) if version >= 1 else b"")

    def metadata(self):
        host, port = self.server.server_address
        brokers = struct.pack(">ii", 1, 1) + string(host) + struct.pack(">i", port) + string(None)
        partition = struct.pack(">hiiiiii", 0, 0, 1, 1, 1, 1, 1)
        topic = struct.pack(">h", 0) + string("12471ce1b695.pin") + struct.pack(">bi", 0, 1) + partition
        return struct.pack(">i", 0) + brokers + string("msk") + struct.pack(">ii", 1, 1) + topic


class FakeMsk:
    """with FakeMsk(account, certificate, key) as msk: msk.bootstrap, msk.sts"""

    def __init__(self, account, certificate=None, key=None):
        self.servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), StsHandler),
                        socketserver.ThreadingTCPServer(("127.0.0.1", 0), BrokerHandler)]
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
        for server in self.servers:
            server.account, server.tls, server.daemon_threads = account, context, True
        self.sts = "http://127.0.0.1:%d" % self.servers[0].server_address[1]
        self.bootstrap = "127.0.0.1:%d" % self.servers[1].server_address[1]

    def __enter__(self):
        for server in self.servers:
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.shutdown()
            server.server_close()
