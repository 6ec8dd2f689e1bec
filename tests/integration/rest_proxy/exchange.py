"""One request and its answer over a socket of its own: what is sent is sent as it is, bad or not."""
import re
import socket


def ask(port, case, timeout=30):
    """{status, headers, body}; status 0 where the other side closed without an answer."""
    target = case["target"].encode()
    lines = [case["method"].encode() + b" " + target + b" HTTP/1.1", b"Host: localhost", b"Connection: close"]
    lines += [f"{name}: {value}".encode() for name, value in case["headers"]]
    body = case["body"]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    data = b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        connection.sendall(data)
        while True:
            try:
                part = connection.recv(65536)
            except ConnectionResetError:
                break
            if not part:
                break
            answer += part
    return parse(answer)


def parse(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    match = re.match(r"HTTP/1\.1 (\d+)", lines[0])
    if not match:
        return {"status": 0, "headers": {}, "body": answer.decode("utf-8", "replace")}
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("transfer-encoding") == "chunked":
        body = unchunk(body)
    return {"status": int(match[1]), "headers": headers, "body": body.decode("utf-8", "replace")}


def unchunk(data):
    out = b""
    while data:
        size, _, data = data.partition(b"\r\n")
        count = int(size.split(b";")[0], 16)
        if count == 0:
            break
        out += data[:count]
        data = data[count + 2:]
    return out
