#!/usr/bin/env python3
"""A strict little S3 service for tests: verifies every signature, keeps objects in memory, fails on demand.

As a program: `fake_s3.py [--port N] [--access-key K] [--secret-key S] [--token T] [--region R]` prints
`PORT n` and serves until its standard input ends. As a module: `FakeS3(...)` with start() and stop().

Besides S3 it answers on /_control (unsigned):
  POST {"faults": [{"op": "PutObject", "action": "503", "times": 2, "match": "part of a key"}, ..]}
  POST {"buckets": ["b"], "reset": true, "open": ["key of a multipart upload left open"]}
  GET  -> {"objects": {"bucket/key": {"size", "etag", "body" (base64), "tags", "headers", "puts"}},
           "uploads": n open multipart uploads, "requests": {"op": n}, "peak": most requests at once,
           "errors": [..]}
It also plays where credentials come from: the instance metadata service (/latest/..), a container's
(/container, which wants `Authorization: let-me-in`), and STS (POST /: AssumeRole, signed, and
AssumeRoleWithWebIdentity with the token `web-token`).

Actions: an HTTP status with S3's usual code (500, 503, 403, 404, 412), "reset" (connection closed without
an answer), "reset-after" (done, but the answer is lost), "slow:SECONDS", "error200" (200 with an error
in the body), "expired", "skewed", "region:NAME", "conflict".
"""
import argparse
import base64
import hashlib
import hmac
import json
import sys
import threading
import time
import urllib.parse
from datetime import datetime, timezone
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape

EMPTY = hashlib.sha256(b"").hexdigest()
CRC32C = [0] * 256
for _byte in range(256):
    _value = _byte
    for _ in range(8):
        _value = _value >> 1 ^ (0x82F63B78 if _value & 1 else 0)
    CRC32C[_byte] = _value
CODES = {"500": "InternalError", "503": "SlowDown", "403": "AccessDenied", "404": "NoSuchBucket",
         "412": "PreconditionFailed", "400": "RequestTimeout"}


class S3Error(Exception):
    def __init__(self, status, code, message="", extra=""):
        super().__init__(code)
        self.status, self.code, self.message, self.extra = status, code, message, extra


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ CRC32C[(value ^ byte) & 0xFF]
    return base64.b64encode((value ^ 0xFFFFFFFF).to_bytes(4, "big")).decode()


def encode(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-._~")


class FakeS3:
    def __init__(self, access_key="access", secret_key="secret", token=None, region="us-east-1", port=0):
        self.access_key, self.secret_key, self.token = access_key, secret_key, token
        self.region = region
        self.lock = threading.Lock()
        self.reset()
        handler = type("Handler", (Handler,), {"fake": self})
        server = type("Server", (ThreadingHTTPServer,), {"request_queue_size": 512, "daemon_threads": True})
        self.server = server(("127.0.0.1", port), handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def reset(self):
        self.buckets, self.uploads, self.faults = {}, {}, []
        self.requests, self.errors = {}, []
        self.busy = self.peak = self.next_upload = 0

    def start(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def keys(self, bucket):
        with self.lock:
            return {key: value["body"] for key, value in self.buckets.get(bucket, {}).items()}

    def state(self):
        with self.lock:
            objects = {f"{bucket}/{key}": {"size": len(each["body"]), "etag": each["etag"],
                                           "body": base64.b64encode(each["body"]).decode(),
                                           "tags": each["tags"], "headers": each["headers"],
                                           "puts": each["puts"]}
                       for bucket, keys in self.buckets.items() for key, each in keys.items()}
            return {"objects": objects, "uploads": len(self.uploads), "requests": dict(self.requests),
                    "peak": self.peak, "errors": list(self.errors)}

    def take_fault(self, op, key):
        with self.lock:
            for fault in self.faults:
                if fault["op"] in (op, "*") and fault.get("match", "") in key and fault["times"] > 0:
                    fault["times"] -= 1
                    return fault["action"]
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake = None

    def log_message(self, *_):
        pass

    # -- requests --

    def setup(self):
        super().setup()
        self.connection.setsockopt(6, 1, 1)  # TCP_NODELAY

    def handle_one(self):
        split = self.path.split("?", 1)
        self.raw_path, self.raw_query = split[0], split[1] if len(split) > 1 else ""
        self.query = dict(urllib.parse.parse_qsl(self.raw_query, keep_blank_values=True))
        parts = urllib.parse.unquote(self.raw_path).lstrip("/").split("/", 1)
        self.bucket, self.key = parts[0], parts[1] if len(parts) > 1 else ""
        length = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(length) if length else b""
        if self.raw_path == "/_control":
            return self.control()
        if self.raw_path.startswith(("/latest/", "/container")) or (self.command, self.raw_path) == ("POST", "/"):
            return self.credentials()
        fake = self.fake
        op = self.operation()
        with fake.lock:
            fake.busy += 1
            fake.peak = max(fake.peak, fake.busy)
            fake.requests[op] = fake.requests.get(op, 0) + 1
        try:
            self.serve(op)
        finally:
            with fake.lock:
                fake.busy -= 1

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_one

    def operation(self):
        method, query = self.command, self.query
        if not self.key:
            if "uploads" in query and method == "GET":
                return "ListMultipartUploads"
            return {"HEAD": "HeadBucket", "PUT": "CreateBucket", "GET": "ListObjectsV2"}.get(method, "?")
        if "uploads" in query and method == "POST":
            return "CreateMultipartUpload"
        if "uploadId" in query:
            return {"PUT": "UploadPart", "POST": "CompleteMultipartUpload",
                    "DELETE": "AbortMultipartUpload"}.get(method, "?")
        if "tagging" in query:
            return {"PUT": "PutObjectTagging", "GET": "GetObjectTagging"}.get(method, "?")
        return {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject",
                "DELETE": "DeleteObject"}.get(method, "?")

    def serve(self, op):
        lost = False
        try:
            action = self.fake.take_fault(op, self.key)
            if action == "reset":
                return self.break_off()
            lost = action == "reset-after"
            if action and action.startswith("slow:"):
                time.sleep(float(action[5:]))
            elif action == "expired":
                raise S3Error(400, "ExpiredToken", "The provided token has expired.")
            elif action == "skewed":
                raise S3Error(403, "RequestTimeTooSkewed", "The difference is too large.")
            elif action == "conflict":
                raise S3Error(409, "ConditionalRequestConflict", "At the same time.")
            elif action and action.startswith("region:"):
                raise S3Error(301, "PermanentRedirect", "Elsewhere.", f"<Region>{action[7:]}</Region>")
            elif action == "error200":
                return self.answer(200, b"<?xml version='1.0'?>\n\n<Error><Code>InternalError</Code>"
                                        b"<Message>We encountered an internal error.</Message></Error>")
            elif action and action.isdigit():
                raise S3Error(int(action), CODES.get(action, "Error"), "As ordered by the test.")
            self.verify()
            answer = getattr(self, op)() if op != "?" else None
            if answer is None:
                raise S3Error(405, "MethodNotAllowed")
            if lost:
                return self.break_off()
            self.answer(*answer)
        except S3Error as error:
            if error.code == "SignatureDoesNotMatch":
                with self.fake.lock:
                    self.fake.errors.append(f"{self.command} {self.path}: {error.message}")
            xml = (f"<?xml version='1.0'?><Error><Code>{error.code}</Code><Message>"
                   f"{escape(error.message)}</Message>{error.extra}<RequestId>42</RequestId></Error>")
            self.answer(error.status, xml.encode())

    def break_off(self):
        self.close_connection = True
        self.connection.shutdown(2)

    def answer(self, status, body=b"", headers=None):
        self.send_response(status)
        headers = {"Content-Length": str(len(body)), **(headers or {})}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_response(self, code, message=None):
        self.send_response_only(code, message)
        self.send_header("Date", formatdate(usegmt=True))

    def control(self):
        fake = self.fake
        if self.command == "POST":
            order = json.loads(self.body)
            with fake.lock:
                if order.get("reset"):
                    fake.reset()
                for bucket in order.get("buckets", []):
                    fake.buckets.setdefault(bucket, {})
                fake.faults = [{"times": 1, **fault} for fault in order.get("faults", fake.faults)]
                fake.token = order.get("token", fake.token)
                for key in order.get("open", []):
                    fake.uploads[f"left {key}"] = {"key": key, "parts": {}, "headers": {}}
        self.answer(200, json.dumps(fake.state()).encode())

    # -- credentials --

    def credentials(self):
        fake, path, headers = self.fake, self.raw_path, self.headers
        keys = {"AccessKeyId": fake.access_key, "SecretAccessKey": fake.secret_key, "Token": "token/+=",
                "Expiration": "2099-01-01T00:00:00Z", "Code": "Success"}
        roles = "/latest/meta-data/iam/security-credentials/"
        action = fake.take_fault("Credentials", path)
        if action:
            return self.answer(int(action), b"busy")
        if path == "/":
            return self.security_token()
        if path == "/container" and headers.get("Authorization") == "let-me-in":
            return self.answer(200, json.dumps(keys).encode())
        if path == "/latest/api/token" and self.command == "PUT" and \
                headers.get("x-aws-ec2-metadata-token-ttl-seconds"):
            return self.answer(200, b"imds-token")
        if headers.get("x-aws-ec2-metadata-token") == "imds-token" and path == roles:
            return self.answer(200, b"the-role\n")
        if headers.get("x-aws-ec2-metadata-token") == "imds-token" and path == roles + "the-role":
            return self.answer(200, json.dumps(keys).encode())
        self.answer(401, b"{}")

    def security_token(self):
        form = dict(urllib.parse.parse_qsl(self.body.decode()))
        try:
            if form["Action"] == "AssumeRole":
                self.verify()
                if form.get("ExternalId") != "outside":
                    raise S3Error(403, "AccessDenied", "not authorized to perform sts:AssumeRole")
            elif form.get("WebIdentityToken") != "web-token":
                raise S3Error(400, "InvalidIdentityToken", "No OpenIDConnect provider found")
            if not form["RoleArn"].startswith("arn:aws:iam::") or len(form["RoleSessionName"]) < 2:
                raise S3Error(400, "ValidationError", "RoleArn or RoleSessionName")
        except S3Error as error:
            return self.answer(error.status, (f"<ErrorResponse><Error><Code>{error.code}</Code><Message>"
                                              f"{error.message}</Message></Error></ErrorResponse>").encode())
        self.answer(200, b"<R><Credentials><AccessKeyId>role-key</AccessKeyId><SecretAccessKey>s&amp;s"
                         b"</SecretAccessKey><SessionToken>role-token</SessionToken><Expiration>"
                         b"2099-01-01T00:00:00Z</Expiration></Credentials></R>")

    # -- signatures (Signature Version 4, headers) --

    def verify(self):
        fake = self.fake
        given = self.headers.get("Authorization", "")
        if not given.startswith("AWS4-HMAC-SHA256 "):
            raise S3Error(403, "AccessDenied", "not signed")
        fields = dict(part.strip().split("=", 1) for part in given[17:].split(","))
        access, date, region, service, last = fields["Credential"].split("/")
        if access != fake.access_key:
            raise S3Error(403, "InvalidAccessKeyId", "Unknown access key.")
        if region != fake.region:
            raise S3Error(400, "AuthorizationHeaderMalformed", f"expecting '{fake.region}'",
                          f"<Region>{fake.region}</Region>")
        stamp, hashed = self.headers.get("x-amz-date", ""), self.headers.get("x-amz-content-sha256")
        now = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
        if abs(time.time() - now.timestamp()) > 900:
            raise S3Error(403, "RequestTimeTooSkewed", "The difference is too large.")
        if hashed not in ("UNSIGNED-PAYLOAD", hashlib.sha256(self.body).hexdigest()):
            raise S3Error(400, "XAmzContentSHA256Mismatch", "The payload is another one.")
        if fake.token and self.headers.get("x-amz-security-token") != fake.token:
            raise S3Error(403, "InvalidToken", "The provided token is malformed.")
        names = fields["SignedHeaders"].split(";")
        if names != sorted(names) or "host" not in names:
            raise S3Error(403, "SignatureDoesNotMatch", f"signed headers {names}")
        for name in self.headers:
            if name.lower().startswith("x-amz-") and name.lower() not in names:
                raise S3Error(403, "AccessDenied", f"header {name} is not signed")
        headers = "".join(f"{name}:{' '.join((self.headers.get(name) or '').split())}\n" for name in names)
        pairs = sorted((encode(name), encode(value)) for name, value in
                       urllib.parse.parse_qsl(self.raw_query.replace("+", "%2B"), keep_blank_values=True))
        path = encode(urllib.parse.unquote(self.raw_path), safe="/")
        canonical = "\n".join([self.command, path, "&".join(f"{n}={v}" for n, v in pairs), headers,
                               ";".join(names), hashed])
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, f"{date}/{region}/{service}/{last}",
                          hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + fake.secret_key).encode()
        for part in (date, region, service, last):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        if hmac.new(key, text.encode(), hashlib.sha256).hexdigest() != fields["Signature"]:
            raise S3Error(403, "SignatureDoesNotMatch", "The signature is another one.")

    # -- operations: (status, body, headers) --

    def keys(self):
        keys = self.fake.buckets.get(self.bucket)
        if keys is None:
            raise S3Error(404, "NoSuchBucket", "The specified bucket does not exist")
        return keys

    def object(self):
        with self.fake.lock:
            found = self.keys().get(self.key)
        if found is None:
            raise S3Error(404, "NoSuchKey", "The specified key does not exist.")
        return found

    def digest_matches(self):
        given = self.headers.get("Content-MD5")
        if given and base64.b64decode(given) != hashlib.md5(self.body).digest():
            raise S3Error(400, "BadDigest", "The Content-MD5 you specified did not match.")
        given = self.headers.get("x-amz-checksum-crc32c")
        if given and given != crc32c(self.body):
            raise S3Error(400, "InvalidRequest", "Value for x-amz-checksum-crc32c header is invalid.")
        return given

    def store(self, body, etag, headers, tags):
        with self.fake.lock:
            keys = self.keys()
            if self.headers.get("If-None-Match") == "*" and self.key in keys:
                raise S3Error(412, "PreconditionFailed", "It is there already.")
            puts = keys[self.key]["puts"] + 1 if self.key in keys else 1
            keys[self.key] = {"body": body, "etag": etag, "headers": headers, "tags": tags, "puts": puts}

    def kept_headers(self):
        kept = ("x-amz-checksum", "content-type", "content-md5", "expect", "x-amz-acl", "x-amz-storage-class",
                "x-amz-server-side-encryption")
        return {name.lower(): value for name, value in self.headers.items()
                if name.lower().startswith(kept)}

    def HeadBucket(self):
        with self.fake.lock:
            self.keys()
        return 200, b"", {"x-amz-bucket-region": self.fake.region}

    def CreateBucket(self):
        with self.fake.lock:
            self.fake.buckets.setdefault(self.bucket, {})
        return (200,)

    def PutObject(self):
        self.digest_matches()
        etag = hashlib.md5(self.body).hexdigest()
        tags = dict(urllib.parse.parse_qsl(self.headers.get("x-amz-tagging", "")))
        self.store(self.body, etag, self.kept_headers(), tags)
        return 200, b"", {"ETag": f'"{etag}"'}

    def HeadObject(self):
        found = self.object()
        return 200, b"", {"ETag": f'"{found["etag"]}"', "Content-Length": str(len(found["body"]))}

    def GetObject(self):
        found = self.object()
        etag, body = f'"{found["etag"]}"', found["body"]
        if self.headers.get("If-Match", etag) != etag:
            raise S3Error(412, "PreconditionFailed", "It is another one.")
        given = self.headers.get("Range")
        if not given:
            return 200, body, {"ETag": etag}
        first, last = (int(number) for number in given.removeprefix("bytes=").split("-"))
        if first >= len(body):
            raise S3Error(416, "InvalidRange", "The requested range is not satisfiable")
        return 206, body[first:last + 1], {"ETag": etag, "Content-Range": f"bytes {first}-{last}/{len(body)}"}

    def DeleteObject(self):
        with self.fake.lock:
            self.keys().pop(self.key, None)
        return (204,)

    def ListObjectsV2(self):
        prefix, after = self.query.get("prefix", ""), self.query.get("start-after", "")
        after = self.query.get("continuation-token", after)
        most = int(self.query.get("max-keys", 1000))
        with self.fake.lock:
            names = sorted(key for key in self.keys() if key.startswith(prefix) and key > after)
            about = {key: self.keys()[key] for key in names[:most]}
        encoded = self.query.get("encoding-type") == "url"
        entries = "".join(
            f"<Contents><Key>{urllib.parse.quote_plus(key, safe='/') if encoded else escape(key)}</Key>"
            f"<LastModified>2026-11-24T02:00:00.000Z</LastModified><ETag>&quot;{each['etag']}&quot;</ETag>"
            f"<Size>{len(each['body'])}</Size></Contents>" for key, each in about.items())
        entries += "<EncodingType>url</EncodingType>" if encoded else ""
        more = len(names) > most
        token = f"<NextContinuationToken>{escape(names[most - 1])}</NextContinuationToken>" if more else ""
        return 200, (f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}"
                     "</ListBucketResult>").encode()

    def ListMultipartUploads(self):
        with self.fake.lock:
            self.keys()
            found = [(each["key"], name) for name, each in self.fake.uploads.items()
                     if each["key"].startswith(self.query.get("prefix", ""))]
        entries = "".join(f"<Upload><Key>{urllib.parse.quote_plus(key, safe='/')}</Key><UploadId>{escape(name)}"
                          "</UploadId></Upload>" for key, name in found)
        return 200, f"<R><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>{entries}</R>".encode()

    def CreateMultipartUpload(self):
        with self.fake.lock:
            self.keys()
            self.fake.next_upload += 1
            name = f"upload+/={self.fake.next_upload}"  # wants encoding
            self.fake.uploads[name] = {"key": self.key, "parts": {}, "headers": self.kept_headers()}
        return 200, f"<R><UploadId>{name}</UploadId></R>".encode()

    def upload(self):
        found = self.fake.uploads.get(self.query["uploadId"])
        if not found or found["key"] != self.key:
            raise S3Error(404, "NoSuchUpload", "The specified upload does not exist.")
        return found

    def UploadPart(self):
        checksum = self.digest_matches()
        etag = hashlib.md5(self.body).hexdigest()
        with self.fake.lock:
            upload = self.upload()
            if (upload["headers"].get("x-amz-checksum-algorithm") == "CRC32C") != bool(checksum):
                raise S3Error(400, "InvalidRequest", "Checksum Type mismatch occurred")
            upload["parts"][int(self.query["partNumber"])] = (etag, self.body)
        return 200, b"", {"ETag": f'"{etag}"'}

    def CompleteMultipartUpload(self):
        with self.fake.lock:
            upload = self.upload()
        text = self.body.decode()
        numbers = [int(part.split("<", 1)[0]) for part in text.split("<PartNumber>")[1:]]
        etags = [part.split("<", 1)[0].replace("&quot;", "").strip('"') for part in text.split("<ETag>")[1:]]
        parts = upload["parts"]
        if not numbers or numbers != sorted(numbers) or [parts[n][0] for n in numbers] != etags:
            raise S3Error(400, "InvalidPart", "One or more of the specified parts could not be found.")
        sums = [part.split("<", 1)[0] for part in text.split("<ChecksumCRC32C>")[1:]]
        if "x-amz-checksum-algorithm" in upload["headers"] and sums != [crc32c(parts[n][1]) for n in numbers]:
            raise S3Error(400, "InvalidPart", "One or more of the parts' checksums did not match.")
        if any(len(parts[n][1]) < 5 << 20 for n in numbers[:-1]):
            raise S3Error(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum.")
        whole = hashlib.md5(b"".join(bytes.fromhex(etag) for etag in etags)).hexdigest()
        etag = f"{whole}-{len(etags)}"
        self.store(b"".join(parts[n][1] for n in numbers), etag, upload["headers"], {})
        with self.fake.lock:
            self.fake.uploads.pop(self.query["uploadId"], None)
        return 200, f"<R><ETag>&quot;{etag}&quot;</ETag></R>".encode()

    def AbortMultipartUpload(self):
        with self.fake.lock:
            self.upload()
            self.fake.uploads.pop(self.query["uploadId"])
        return (204,)

    def PutObjectTagging(self):
        text = self.body.decode()
        names = [part.split("<", 1)[0] for part in text.split("<Key>")[1:]]
        values = [part.split("<", 1)[0] for part in text.split("<Value>")[1:]]
        self.object()["tags"] = dict(zip(names, values))
        return (200,)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--access-key", default="access")
    parser.add_argument("--secret-key", default="secret")
    parser.add_argument("--token")
    parser.add_argument("--region", default="us-east-1")
    options = parser.parse_args()
    fake = FakeS3(options.access_key, options.secret_key, options.token, options.region, options.port).start()
    print(f"PORT {fake.port}", flush=True)
    sys.stdin.read()
    fake.stop()


if __name__ == "__main__":
    main()
