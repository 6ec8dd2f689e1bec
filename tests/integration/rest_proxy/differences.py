"""Where the REST source answers otherwise than the recorded Proxy, on purpose; the reasons are in
docs/connectors/rest.md too. (pattern of case names, what may differ, why)

What may differ: "type" the Content-Type alone; "body" the body and type; "answer" all, and then status is ours.
"""

DIFFERENCES = [
    # -- what Jetty or Jersey say outside the API's own form --
    (r"topic (bad escape|half escape|nul)|get topic (bad escape|half escape|nul)|path '(\*|topics)'",
     "body", "Jetty's HTML page; ours is the API's JSON"),
    (r"content type '(nonsense|nonsense/|/json| |;|application/vnd.kafka.json.v2\+json(, application/json| x|; =|; charset)|"
     r"application / vnd.kafka.json.v2\+json)'|content type empty header", "body", "Jetty's HTML page"),
    (r"accept '(nonsense/|;|,|application/json;q=(nonsense|2|1.0001))' (get|post)", "body", "empty, or Jetty's own JSON"),
    (r"path ''", 400, "a request line without a target"),
    (r"path '/\.\./topics'", 404, "no path, as others that lead nowhere"),
    (r"content: key_schema number", 200, "one offset less: of the request before, whose second partition was "
     "negative, the Proxy had written the first record and said 500; ours writes none of it"),
    # -- media types --
    (r"accept '(application/json(; ?charset=[-a-z0-9]+|;q=0.5)?|APPLICATION/JSON|application/json, text/html)' "
     r"(get|post|bad json|empty records|404 topic)|accept twice", "answer",
     "application/json is answered as such: many clients ask for it"),
    (r"accept 'application/vnd.kafka.v2\+json; a=b' (get|post)", "type", "parameters of Accept are not given back"),
    (r"content type '(APPLICATION/VND.KAFKA.JSON.V2\+JSON|Application/Vnd.Kafka.Json.V2\+Json)'", 200,
     "media types are the same in any case (RFC 9110)"),
    (r"content type twice", 200, "the first of two headers counts"),
    (r"GET with body", 200, "a body of a GET is not looked at"),
    # -- JSON --
    (r"json utf-(16|32).*|charset utf-16", 400, "JSON is UTF-8 (RFC 8259); Jackson guesses others"),
    (r"bad json: (overlong utf-8|surrogate in utf-8|utf-8 beyond 10ffff)", 400, "not UTF-8; Jackson lets it pass"),
    (r"json number with huge exponent", 400, "Jackson makes it the text Infinity"),
    (r"json depth 998", 200, "the limit of 1000 is of the value, not of the body"),
    (r"json name of 60000", 200, "names are limited by the body alone"),
    # -- topics --
    (r"topic (?!semicolon).*", "records", "a bad topic name: the Proxy's second record is told the name alone"),
]
