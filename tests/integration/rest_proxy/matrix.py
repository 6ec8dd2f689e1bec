"""What is asked of a REST Proxy: good requests and every kind of bad one, in an order that counts
(offsets). record.py asks a real Proxy, ../test_rest_proxy.py a REST source.

A case is (name, method, target, headers, body). Topics: `one` has one partition, `three` has three; they
exist before the first case. Headers None: those of a JSON produce request.
"""
import base64

V2 = "application/vnd.kafka.v2+json"
JSON = "application/vnd.kafka.json.v2+json"
BINARY = "application/vnd.kafka.binary.v2+json"


def b64(data):
    return base64.b64encode(data).decode()


def cases():
    out = []
    seen = set()

    def add(name, method, target, headers=None, body=None):
        assert name not in seen, name
        seen.add(name)
        if headers is None:
            headers = [("Content-Type", JSON)] if body is not None else []
        if isinstance(body, str):
            body = body.encode()
        out.append({"name": name, "method": method, "target": target,
                    "headers": [list(header) for header in headers], "body": body})

    def post(name, body, target="/topics/one", content=JSON, accept=None):
        headers = ([("Content-Type", content)] if content else []) + ([("Accept", accept)] if accept else [])
        add(name, "POST", target, headers, body)

    def get(name, target, accept=None):
        add(name, "GET", target, [("Accept", accept)] if accept else [])

    simple = '{"records":[{"value":{"a":1}}]}'

    # -- good --
    post("json", simple)
    post("json several", '{"records":[{"key":"k","value":1},{"value":"two"},{"key":{"a":[1,2]},"value":null}]}')
    post("json null value", '{"records":[{"value":null}]}')
    post("json no value", '{"records":[{}]}')
    post("json key only", '{"records":[{"key":"k"}]}')
    post("json partition in body", '{"records":[{"value":1,"partition":2},{"value":2,"partition":0}]}', "/topics/three")
    post("json partition null", '{"records":[{"value":1,"partition":null}]}')
    post("json partition in path", simple, "/topics/three/partitions/1")
    post("json partition in path and body", '{"records":[{"value":1,"partition":2}]}', "/topics/three/partitions/1")
    post("json keys are partitioned", '{"records":[%s]}' % ",".join('{"key":"k%d","value":%d}' % (i, i) for i in range(12)), "/topics/three")
    post("json keys of other types", '{"records":[{"key":1,"value":1},{"key":1.50,"value":1},{"key":true,"value":1},{"key":[ 1 ],"value":1},{"key":{"b":1,"a":2},"value":1},{"key":"\\u00e9","value":1}]}', "/topics/three")
    post("json new topic", simple, "/topics/made.by-post_1")
    post("json whitespace", ' \r\n\t{ "records" : [ { "value" : { "a" : [ 1 , 2 ] , "b" : { } } } ] } \n ')
    post("json numbers", '{"records":[{"value":[0,-0,1.0,1.50,1e2,1E-7,-1.5e+3,1e400,123456789012345678901234567890,0.1234567890123456789,12345678901234567890.5,9007199254740993,-9223372036854775808,9223372036854775808,1e-400,100000000000000000000.0,1e16,1e7,0.001,0.0001]}]}')
    post("json strings", '{"records":[{"value":"\\u0041\\/\\b\\f\\n\\r\\t\\"\\\\ \\u001f \\u007f \\u2028 \\ud83d\\ude00 \u00e9\u20ac\U0001F600"}]}')
    post("json lone surrogate", '{"records":[{"value":"\\ud800"}]}')
    post("json lone low surrogate", '{"records":[{"value":"x\\udc00y"}]}')
    post("json duplicate names in value", '{"records":[{"value":{"a":1,"b":2,"a":3}}]}')
    post("json duplicate value member", '{"records":[{"value":1,"value":2}]}')
    post("json duplicate records member", '{"records":[{"value":1}],"records":[{"value":7},{"value":8}]}')
    post("json empty names", '{"records":[{"value":{"":1}}]}')
    post("json depth 100", '{"records":[{"value":%s}]}' % ("[" * 100 + "]" * 100))
    post("json depth 900", '{"records":[{"value":%s}]}' % ("[" * 900 + "]" * 900))
    post("json depth 996", '{"records":[{"value":%s}]}' % ("[" * 996 + "]" * 996))
    post("json depth 997", '{"records":[{"value":%s}]}' % ("[" * 997 + "]" * 997))
    post("json depth 998", '{"records":[{"value":%s}]}' % ("[" * 998 + "]" * 998))
    post("json depth 1001", '{"records":[{"value":%s}]}' % ("[" * 1001 + "]" * 1001))
    post("json depth 3000", '{"records":[{"value":%s}]}' % ("[" * 3000 + "]" * 3000))
    post("json number of 1000 digits", '{"records":[{"value":%s}]}' % ("1" * 1000))
    post("json number of 1001 digits", '{"records":[{"value":%s}]}' % ("1" * 1001))
    post("json number with huge exponent", '{"records":[{"value":1e99999999999}]}')
    post("json name of 60000", '{"records":[{"value":{"%s":1}}]}' % ("n" * 60000))
    post("json text of 70000", '{"records":[{"value":"%s"}]}' % ("n" * 70000))
    post("json schemas are ignored", '{"value_schema":"{}","key_schema":"x","value_schema_id":1,"key_schema_id":2,"records":[{"value":1}]}')
    post("json schemas are ignored, behind", '{"records":[{"value":1}],"value_schema":null,"key_schema_id":null}')
    post("json trailing garbage", simple + "garbage")
    post("json trailing object", simple + simple)
    post("json trailing brace", simple + "}")
    post("json bom", b"\xef\xbb\xbf" + simple.encode())
    post("json utf-16", simple.encode("utf-16-be"))
    post("json utf-16 with bom", simple.encode("utf-16"))
    post("json utf-32", simple.encode("utf-32-be"))
    post("binary", '{"records":[{"key":"%s","value":"%s"}]}' % (b64(b"key"), b64(b"\x00\xffvalue")), content=BINARY)
    post("binary null", '{"records":[{"key":null,"value":null},{}]}', content=BINARY)
    post("binary empty", '{"records":[{"key":"","value":""}]}', content=BINARY)
    post("binary without padding", '{"records":[{"value":"YQ"},{"value":"YWI"}]}', content=BINARY)
    post("binary in path", '{"records":[{"value":"YQ=="}]}', "/topics/three/partitions/2", content=BINARY)
    post("binary schemas are ignored", '{"value_schema":"x","records":[{"value":"YQ=="}]}', content=BINARY)

    # -- bad binary --
    for name, value in [("text", '"!!"'), ("one character", '"Y"'), ("blank", '"Y Q=="'), ("newline", '"YQ\\n=="'),
                        ("url alphabet", '"-_-_"'), ("too much padding", '"YQ==="'), ("padding inside", '"YQ==YQ=="'),
                        ("half padding", '"YQ="'), ("trailing bits", '"YR=="'), ("number", "1"), ("float", "1.5"),
                        ("boolean", "true"), ("object", '{"a":1}'), ("array", "[1]"), ("non ascii", '"\u00e9\u00e9\u00e9\u00e9"'), ("only padding", '"===="'),
                        ("quote", '"\\"\\"\\"\\""')]:
        post("binary value " + name, '{"records":[{"value":%s}]}' % value, content=BINARY)
    post("binary key text", '{"records":[{"key":"!!","value":"YQ=="}]}', content=BINARY)
    post("binary second record bad", '{"records":[{"value":"YQ=="},{"value":"!!"}]}', content=BINARY)
    post("binary key and value bad", '{"records":[{"value":"v!","key":"k!"}]}', content=BINARY)

    # -- bad JSON --
    for name, body in [
            ("empty", ""), ("blank", "  \n"), ("null", "null"), ("true", "true"), ("false", "false"), ("number", "1"), ("float", "1.5"),
            ("text", '"x"'), ("empty text", '""'), ("array", "[]"), ("array of request", "[" + simple + "]"), ("object", "{}"),
            ("word", "hello"), ("open brace", "{"), ("open records", '{"records":['), ("open record", '{"records":[{'),
            ("no colon", '{"records"}'), ("colon only", '{"records":}'), ("open text", '{"records":[{"value":"abc'),
            ("open value", '{"records":[{"value":'), ("single quotes", "{'records':[]}"), ("no quotes", "{records:[]}"),
            ("trailing comma in object", '{"records":[{"value":1}],}'), ("trailing comma in array", '{"records":[{"value":1},]}'),
            ("trailing comma in value", '{"records":[{"value":[1,]}]}'), ("missing comma", '{"records":[{"value":1}{"value":2}]}'),
            ("missing comma in record", '{"records":[{"value":1 "key":2}]}'), ("wrong close", '{"records":[{"value":1]]}'),
            ("comment", '{/* c */"records":[{"value":1}]}'), ("comment line", '// c\n{"records":[{"value":1}]}'),
            ("nan", '{"records":[{"value":NaN}]}'), ("infinity", '{"records":[{"value":Infinity}]}'), ("minus infinity", '{"records":[{"value":-Infinity}]}'),
            ("leading zero", '{"records":[{"value":01}]}'), ("leading plus", '{"records":[{"value":+1}]}'), ("leading point", '{"records":[{"value":.5}]}'),
            ("trailing point", '{"records":[{"value":1.}]}'), ("no exponent", '{"records":[{"value":1e}]}'), ("minus", '{"records":[{"value":-}]}'),
            ("hex", '{"records":[{"value":0x1}]}'), ("number then letter", '{"records":[{"value":1a}]}'),
            ("bad word", '{"records":[{"value":tru}]}'), ("bad word long", '{"records":[{"value":nullx}]}'), ("upper case", '{"records":[{"value":TRUE}]}'),
            ("control character", '{"records":[{"value":"a\nb"}]}'), ("tab in text", '{"records":[{"value":"a\tb"}]}'), ("nul in text", '{"records":[{"value":"a\x00b"}]}'),
            ("nul", '\x00'), ("nul behind", '{"records":\x00[]}'), ("bad escape", '{"records":[{"value":"\\x"}]}'), ("short escape", '{"records":[{"value":"\\u12"}]}'),
            ("bad hex escape", '{"records":[{"value":"\\u12G4"}]}'), ("bracket", "["), ("close bracket", "]"), ("close brace", "}"), ("comma", ","), ("colon", ":"),
            ("at sign", "@"), ("non ascii", "\u00e9"), ("euro", '{"records":\u20ac}'), ("emoji", '{"records":[{"value":\U0001F600}]}'),
            ("vertical tab", '{"records":\x0b[]}'), ("nbsp", '\u00a0{"records":[]}'), ("form", "records=1&value=2"), ("xml", "<records/>"), ("yaml", "records: [1]"),
            ("long word", '{"records":[{"value":%s}]}' % ("a" * 400)), ("name not closed", '{"records":[{"value"'), ("name with newline", '{"reco\nrds":[]}')]:
        post("bad json: " + name, body)
    post("bad json: invalid utf-8 in value", b'{"records":[{"value":"\xff\xfe"}]}')
    post("bad json: truncated utf-8", b'{"records":[{"value":"\xc3"}]}')
    post("bad json: overlong utf-8", b'{"records":[{"value":"\xc0\xaf"}]}')
    post("bad json: surrogate in utf-8", b'{"records":[{"value":"\xed\xa0\x80"}]}')
    post("bad json: utf-8 beyond 10ffff", b'{"records":[{"value":"\xf7\xbf\xbf\xbf"}]}')
    post("bad json: continuation byte", b'{"records":[{"value":"a\x80b"}]}')
    post("bad json: invalid utf-8 outside", b'{"records":\xff}')
    post("bad json: invalid utf-8 in name", b'{"rec\xff":1}')
    post("bad json: latin-1", b'{"records":[{"value":"caf\xe9"}]}')

    # -- bad content --
    for name, body in [
            ("no records", '{"a":1}'), ("records null", '{"records":null}'), ("records empty", '{"records":[]}'), ("records object", '{"records":{}}'),
            ("records text", '{"records":"x"}'), ("records empty text", '{"records":""}'), ("records blank text", '{"records":"  "}'), ("records number", '{"records":1}'), ("records float", '{"records":1.5}'),
            ("records true", '{"records":true}'), ("records false", '{"records":false}'), ("records of object of record", '{"records":{"value":1}}'),
            ("record null", '{"records":[null]}'), ("second record null", '{"records":[{"value":1},null]}'), ("record number", '{"records":[1]}'), ("record float", '{"records":[1.5]}'), ("record text", '{"records":["x"]}'),
            ("record empty text", '{"records":[""]}'), ("record blank text", '{"records":[" "]}'), ("record true", '{"records":[true]}'), ("record false", '{"records":[false]}'), ("record array", '{"records":[[]]}'), ("record array of record", '{"records":[[{"value":1}]]}'),
            ("record big number", '{"records":[12345678901234567890]}'), ("record long", '{"records":[1234567890123]}'),
            ("unknown in request", '{"records":[{"value":1}],"extra":1}'), ("unknown in request first", '{"extra":{"a":[1]},"records":[{"value":1}]}'),
            ("unknown in record", '{"records":[{"value":1,"headers":[]}]}'), ("unknown timestamp", '{"records":[{"value":1,"timestamp":5}]}'),
            ("unknown empty name", '{"":1}'), ("unknown with quote", '{"a\\"b":1}'), ("unknown with unicode", '{"\u00e9\u20ac":1}'), ("unknown upper case", '{"RECORDS":[]}'),
            ("unknown in second record", '{"records":[{"value":1},{"valeu":1}]}'), ("unknown before syntax error", '{"extra":1,'),
            ("unknown long", '{"%s":1}' % ("x" * 300)),
            ("partition text", '{"records":[{"value":1,"partition":"x"}]}'), ("partition number text", '{"records":[{"value":1,"partition":"0"}]}'), ("partition blank number text", '{"records":[{"value":1,"partition":" 0 "}]}'),
            ("partition empty text", '{"records":[{"value":1,"partition":""}]}'), ("partition blank text", '{"records":[{"value":1,"partition":"  "}]}'), ("partition null text", '{"records":[{"value":1,"partition":"null"}]}'), ("partition float", '{"records":[{"value":1,"partition":0.7}]}'),
            ("partition float text", '{"records":[{"value":1,"partition":"0.7"}]}'),
            ("partition true", '{"records":[{"value":1,"partition":true}]}'), ("partition false", '{"records":[{"value":1,"partition":false}]}'), ("partition array", '{"records":[{"value":1,"partition":[0]}]}'), ("partition empty array", '{"records":[{"value":1,"partition":[]}]}'),
            ("partition object", '{"records":[{"value":1,"partition":{}}]}'), ("partition negative", '{"records":[{"value":1,"partition":-1}]}'), ("partition minus zero", '{"records":[{"value":1,"partition":-0}]}'), ("partition very negative", '{"records":[{"value":1,"partition":-2147483648}]}'),
            ("partition too large", '{"records":[{"value":1,"partition":2147483648}]}'), ("partition long", '{"records":[{"value":1,"partition":9223372036854775807}]}'),
            ("partition huge", '{"records":[{"value":1,"partition":123456789012345678901234567890}]}'), ("partition exponent", '{"records":[{"value":1,"partition":1e100}]}'), ("partition exponent small", '{"records":[{"value":1,"partition":0e5}]}'),
            ("partition large float", '{"records":[{"value":1,"partition":1e10}]}'), ("partition large text", '{"records":[{"value":1,"partition":"2147483648"}]}'), ("partition plus text", '{"records":[{"value":1,"partition":"+0"}]}'), ("partition negative in second", '{"records":[{"value":1},{"value":1,"partition":-5}]}'),
            ("key_schema number", '{"key_schema":1,"records":[{"value":1}]}'), ("key_schema true", '{"key_schema":true,"records":[{"value":1}]}'), ("value_schema object", '{"value_schema":{},"records":[{"value":1}]}'), ("value_schema array", '{"value_schema":[],"records":[{"value":1}]}'), ("value_schema array of text", '{"value_schema":["x"],"records":[{"value":1}]}'),
            ("value_schema_id text", '{"value_schema_id":"x","records":[{"value":1}]}'), ("value_schema_id number text", '{"value_schema_id":"5","records":[{"value":1}]}'), ("value_schema_id float", '{"value_schema_id":1.5,"records":[{"value":1}]}'), ("key_schema_id object", '{"key_schema_id":{},"records":[{"value":1}]}'), ("key_schema_id negative", '{"key_schema_id":-1,"records":[{"value":1}]}'),
            ("text for request", '"{\\"records\\":[]}"'), ("request number long", "12345678901"), ("request big number", "123456789012345678901234567890")]:
        post("content: " + name, body)

    # -- partitions and topics --
    for partition in ["3", "-1", "99", "2147483647", "2147483648", "x", "1.5", "+1", "01", "", "%31", "1%20", "1;a=b", "-0", "0x1"]:
        post("path partition " + partition, simple, "/topics/three/partitions/" + partition)
        get("get partition " + partition, "/topics/three/partitions/" + partition)
    post("body partition 3", '{"records":[{"value":1,"partition":3}]}', "/topics/three")
    post("body partition 3 and 0", '{"records":[{"value":1,"partition":0},{"value":1,"partition":3}]}', "/topics/three")
    for name, topic in [("blank", "a%20b"), ("slash", "a%2Fb"), ("dot", "."), ("dots", ".."), ("encoded dot", "%2E"), ("encoded dots", "%2E%2E"), ("unicode", "%C3%A9"), ("colon", "a:b"), ("star", "*"), ("semicolon", "a;b=c"), ("plus", "a+b"),
                        ("at", "a@b"), ("dollar", "$a"), ("249 characters", "l" * 249), ("250 characters", "l" * 250), ("comma", "a,b"), ("raw unicode", "\u00e9"), ("percent", "a%25b"),
                        ("bad escape", "a%zz"), ("half escape", "a%2"), ("nul", "a%00b"), ("invalid utf-8", "a%ffb"), ("backslash", "a%5Cb"), ("newline", "a%0Ab"), ("empty", "")]:
        post("topic " + name, '{"records":[{"value":1},{"value":2}]}', "/topics/" + topic)
        get("get topic " + name, "/topics/" + topic)
    post("topic double slash", simple, "//topics//one")
    post("topic trailing slash", simple, "/topics/one/")
    post("topic query", simple, "/topics/one?a=b&c")
    post("topic fragment", simple, "/topics/one#x")
    post("topic upper case path", simple, "/Topics/one")

    # -- types --
    for content in ["application/json", "application/vnd.kafka.v2+json", "application/vnd.kafka+json", "application/vnd.kafka.json+json", "application/vnd.kafka.json.v1+json",
                    "application/vnd.kafka.json.v3+json", "text/plain", "text/html; charset=utf-8", "*/*", "application/*", "application/octet-stream", "application/x-www-form-urlencoded",
                    "multipart/form-data; boundary=x", "nonsense", "nonsense/", "/json", "", " ", ";", "application/vnd.kafka.json.v2+json;",
                    "application/vnd.kafka.json.v2+json; charset=utf-8", "application/vnd.kafka.json.v2+json;charset=UTF-8", "application/vnd.kafka.json.v2+json; charset=iso-8859-1",
                    "application/vnd.kafka.json.v2+json; charset=nonsense", "application/vnd.kafka.json.v2+json; charset=\"utf-8\"", "application/vnd.kafka.json.v2+json; q=0.5", "application/vnd.kafka.json.v2+json; a=b; c=d",
                    "APPLICATION/VND.KAFKA.JSON.V2+JSON", "Application/Vnd.Kafka.Json.V2+Json", " application/vnd.kafka.json.v2+json ", "application/vnd.kafka.json.v2+json, application/json", "application/vnd.kafka.json.v2+json x",
                    "application / vnd.kafka.json.v2+json", "application/vnd.kafka.json.v2+json; =", "application/vnd.kafka.json.v2+json; charset", "application/vnd.kafka.binary.v2+json; charset=utf-8"]:
        post("content type " + repr(content), simple if "binary" not in content else '{"records":[{"value":"YQ=="}]}', content=content or None if content == "" else content)
    add("content type empty header", "POST", "/topics/one", [("Content-Type", "")], simple)
    add("content type twice", "POST", "/topics/one", [("Content-Type", JSON), ("Content-Type", BINARY)], simple)
    add("content type none, binary body", "POST", "/topics/one", [], '{"records":[{"value":"YQ=="}]}')
    add("content type none, empty body", "POST", "/topics/one", [], "")
    add("content type none, no body", "POST", "/topics/one", [], None)
    add("content type json, no body", "POST", "/topics/one", [("Content-Type", JSON)], None)
    add("content type binary, no body", "POST", "/topics/one/partitions/0", [("Content-Type", BINARY)], None)
    add("charset latin-1 with bytes", "POST", "/topics/one", [("Content-Type", JSON + "; charset=iso-8859-1")], b'{"records":[{"value":"caf\xe9"}]}')
    add("charset utf-16", "POST", "/topics/one", [("Content-Type", JSON + "; charset=utf-16")], simple.encode("utf-16"))
    for name in ["avro", "jsonschema", "protobuf"]:
        kind = f"application/vnd.kafka.{name}.v2+json"
        post(name + " without schema", simple, content=kind)
        post(name + " with schema", '{"value_schema":"{\\"type\\":\\"int\\"}","records":[{"value":1}]}', content=kind)
        post(name + " with schema id", '{"value_schema_id":1,"records":[{"value":1}]}', content=kind)
        post(name + " with key", '{"key_schema":"x","value_schema":"y","records":[{"key":1,"value":1}]}', content=kind)
        post(name + " null value", '{"records":[{"value":null}]}', content=kind)
        post(name + " null value with schema", '{"value_schema":"\\"int\\"","records":[{"value":null}]}', content=kind)
        post(name + " key without schema", '{"records":[{"key":1}]}', content=kind)
        post(name + " empty records", '{"records":[]}', content=kind)
        post(name + " no body", None, content=kind)
        post(name + " bad json", "{", content=kind)
        post(name + " unknown member", '{"x":1}', content=kind)
        post(name + " in path", simple, "/topics/three/partitions/0", content=kind)
        post(name + " in path, no such partition", simple, "/topics/three/partitions/9", content=kind)
        post(name + " bad topic", simple, "/topics/a%20b", content=kind)
        post(name + " negative partition", '{"records":[{"value":1,"partition":-1}]}', content=kind)

    accepts = ["*/*", "application/json", V2, "application/*", "application/vnd.kafka+json", "application/vnd.kafka.json.v2+json", "application/vnd.kafka.v1+json", "text/html", "text/plain, */*;q=0.1",
               "application/json, " + V2, V2 + ", application/json", "application/json;q=0.5, " + V2 + ";q=0.1", V2 + ";q=0", "*/*;q=0", V2 + ";q=0, application/json", "application/json;q=0.9,*/*;q=0.8",
               "application/json; charset=utf-8", "application/json;charset=iso-8859-1", "nonsense", "nonsense/", ";", ",", "", "application/json;q=nonsense", "application/json;q=2", "application/json;q=1.0001", "APPLICATION/JSON", "image/png, text/html",
               "application/vnd.kafka.v2+json; a=b", "text/html;q=0.9, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "application/*;q=0.5, application/json;q=0.1", "text/*"]
    for accept in accepts:
        add("accept " + repr(accept) + " post", "POST", "/topics/one", [("Content-Type", JSON), ("Accept", accept)], simple)
        add("accept " + repr(accept) + " get", "GET", "/topics/one/partitions/0", [("Accept", accept)])
    for accept in ["application/json", V2, "text/html", "*/*", "application/json, text/html", "application/json;q=0.5", "nonsense"]:
        post("accept " + repr(accept) + " bad json", "{", accept=accept)
        post("accept " + repr(accept) + " empty records", '{"records":[]}', accept=accept)
        post("accept " + repr(accept) + " 415", simple, content="text/plain", accept=accept)
        get("accept " + repr(accept) + " 404 path", "/nowhere", accept)
        get("accept " + repr(accept) + " 404 topic", "/topics/nowhere", accept)
        add("accept " + repr(accept) + " 405", "PUT", "/topics/one", [("Accept", accept)])
    add("accept twice", "GET", "/topics/one/partitions/0", [("Accept", "text/html"), ("Accept", "application/json")])

    # -- methods and paths --
    targets = ["/", "/topics", "/topics/one", "/topics/one/partitions", "/topics/one/partitions/0", "/topics/one/partitions/0/offsets", "/brokers", "/nowhere", "/topics/nowhere"]
    for target in targets:
        for method in ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW"]:
            add(f"{method} {target}", method, target, [])
        add(f"POST {target} empty", "POST", target, [], None)
        add(f"POST {target} v2", "POST", target, [("Content-Type", V2)], "{}")
    for target in ["", "*", "topics", "/topics/", "/topics/one/partitions/", "/topics/one/partition", "/topics/one/partitions/0/offsets/", "/topics/one/partitions/0/x", "/topics/one/partitions/0/offsets/x", "/brokers/", "/brokers/1", "/topics/./one", "/topics/one/../one", "/../topics",
                   "/topics?x=y", "/brokers?x", "/%74opics", "/topics%2Fone", "/topics;a=b", "/topics/one;a=b/partitions", "/topics/one/%70artitions", "/favicon.ico", "/v3/nowhere", "/x/y/z/a/b/c/d/e/f", "/topics/three", "/topics/three/partitions", "/topics/three/partitions/2", "/topics/three/partitions/2/offsets", "/topics/three/partitions/3/offsets",
                   "/topics/three/partitions/-1/offsets", "/topics/three/partitions/x/offsets", "/topics/nowhere/partitions", "/topics/nowhere/partitions/0", "/topics/nowhere/partitions/0/offsets", "/topics/a%20b/partitions", "/topics/a%20b/partitions/0", "/topics/a%20b/partitions/0/offsets", "http://elsewhere/topics/one/partitions"]:
        get("path " + repr(target), target)
    add("OPTIONS with origin", "OPTIONS", "/topics/one", [("Origin", "http://x"), ("Access-Control-Request-Method", "POST")])
    add("GET with body", "GET", "/topics/one/partitions", [("Content-Type", JSON)], "{}")
    add("method in lower case", "post", "/topics/one", [("Content-Type", JSON)], simple)
    add("method override", "POST", "/topics/one", [("Content-Type", JSON), ("X-HTTP-Method-Override", "GET")], simple)
    get("topics at the end", "/topics")
    return out
