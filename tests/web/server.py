#!/usr/bin/env python3
"""server: what the page's server answers, whom it refuses, and whom it drops"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import demo  # noqa: E402
from demo import Demo, bench  # noqa: E402

check = bench.begin("server")
why = demo.absent()
if why:
    print("skipped: " + why)
    sys.exit(bench.SKIPPED)

QUICK = "%d" % (400 * bench.SLOW)       # ms of patience, where being dropped is the point
LONG = "60000"
PATHS = ["/", "/app.css", "/app.js", "/icon.svg", "/board", "/metrics", "/healthz"]
CROSS = "Sec-Fetch-Site: cross-site"


def protects(answer):
    """Nothing from elsewhere, no frame, no guessing, no copy, and no word of CORS."""
    policy = answer.headers.get("content-security-policy", "")
    return ("default-src 'none'" in policy and "frame-ancestors 'none'" in policy and
            "unsafe" not in policy and answer.headers.get("x-content-type-options") == "nosniff" and
            answer.headers.get("x-frame-options") == "DENY" and
            answer.headers.get("cache-control") == "no-store" and
            answer.headers.get("connection") == "close" and
            not [h for h in answer.headers if h.startswith(("access-control", "set-cookie"))])


# ---- what there is -----------------------------------------------------------------

with Demo("-b", LONG, "-n", "station.example") as d:
    check.topic("before the station has told anything")
    check.equal("/healthz says it is not well yet", d.ask("/healthz").status, 503)
    for path in ("/board", "/metrics"):
        check.equal(path + " has nothing to show", d.ask(path).status, 503)

    check.topic("what is told is what is shown")
    board = {"schema": "chaperone.board/1", "tiles": [{"name": "<b> \u2028 \"quoted\" \\"}]}
    check.equal("a board is taken", d.tell(json.dumps(board)), "ok")
    check.equal("/board is that board", json.loads(d.ask("/board").body), board)
    check.equal("/board is JSON", d.ask("/board").headers["content-type"], "application/json")
    d.tell("metrics chaperone_up 1\\nchaperone_attached 3\\n")
    metrics = d.ask("/metrics")
    check.equal("/metrics is the text, byte by byte", metrics.body,
                b"chaperone_up 1\nchaperone_attached 3\n")
    check.has("/metrics is of Prometheus' kind", metrics.headers["content-type"],
              "text/plain; version=0.0.4")
    d.tell("healthy")
    check.equal("/healthz is 200 when well", (d.ask("/healthz").status, d.ask("/healthz").body),
                (200, b"ok\n"))
    d.tell("unhealthy no usbmuxd \x1b[31m")
    ill = d.ask("/healthz")
    check.equal("/healthz is 503 when not", ill.status, 503)
    check.equal("and says why, in printable text", ill.body, "no usbmuxd \ufffd[31m\n".encode())
    d.tell("healthy")
    check.equal("a board beyond the limit is not taken",
                d.tell('{"a":"%s"}' % ("x" * (4 * 1024 * 1024))), "failed")
    check.equal("and the last one stays", json.loads(d.ask("/board").body), board)

    check.topic("every answer is protected, and HEAD is GET without a body")
    for path in PATHS:
        get, head = d.ask(path), d.ask(path, method="HEAD")
        check.equal("GET %s is 200" % path, get.status, 200)
        check.equal("HEAD %s says the same length" % path, (head.status, head.body,
                    head.headers["content-length"]), (200, b"", str(len(get.body))))
        check.check("%s is protected" % path, protects(get) and protects(head), get)
    check.equal("HEAD /events ends at once", d.ask("/events", method="HEAD").status, 200)
    for name, status, answer in (
            ("a path that is not there", 404, d.ask("/nothing")),
            ("a path that climbs", 404, d.ask("/../app.js")),
            ("a path with a NUL", 404, d.ask("/board%00.js")),
            ("a name that is not ours", 421, d.ask("/", host="evil.example")),
            ("a method that writes", 405, d.ask("/", method="POST"))):
        check.equal("%s is %d" % (name, status), answer.status, status)
        check.check("%s is protected" % name, protects(answer), answer)
    check.equal("405 says what is allowed", d.ask("/", method="PUT").headers.get("allow"),
                "GET, HEAD")

    check.topic("names: ours, and no other that points here")
    for host, status in (
            ("127.0.0.1:%d" % d.port, 200), ("127.0.0.1", 200), ("localhost:%d" % d.port, 200),
            ("LocalHost", 200), ("localhost:9000", 200),        # through a tunnel
            ("station.example", 200), ("Station.Example:80", 200),
            ("evil.example", 421), ("evil.example:%d" % d.port, 421), ("127.0.0.2", 421),
            ("127.0.0.1.evil.example", 421), ("localhost.evil.example", 421),
            ("evil.example@localhost", 421), ("localhost@evil.example", 421),
            ("localhost:80:80", 421), ("localhost:port", 421), ("localhost:", 421),
            ("[127.0.0.1]evil", 421), ("[localhost", 421), ("[::1]", 421), ("0.0.0.0", 421),
            ("station.example.", 421), ("xstation.example", 421), (":80", 421), ("[]", 421)):
        check.equal("Host: %s is %d" % (host, status), d.ask("/board", host=host).status, status)
    check.equal("no Host is 400", d.ask("/board", host="").status, 400)
    check.equal("two Hosts are 400", d.ask("/board", "Host: evil.example").status, 400)
    check.equal("HTTP/1.0 without Host is 400", d.ask_raw(b"GET /board HTTP/1.0\r\n\r\n").status, 400)

    check.topic("other sites")
    ours = "Origin: http://%s" % d.address
    for path, headers, status in (
            ("/board", ["Sec-Fetch-Site: same-origin"], 200),
            ("/board", ["Sec-Fetch-Site: none"], 200), ("/board", [ours], 200),
            ("/board", ["Origin: https://%s" % d.address], 200),
            ("/board", [CROSS], 403), ("/", [CROSS], 403), ("/events", [CROSS], 403),
            ("/metrics", [CROSS], 403), ("/healthz", [CROSS], 403), ("/app.js", [CROSS], 403),
            ("/board", ["Sec-Fetch-Site: same-site"], 403),
            ("/board", ["Sec-Fetch-Site: nonsense"], 403),
            ("/board", ["Origin: http://evil.example"], 403), ("/board", ["Origin: null"], 403),
            ("/board", ["Origin: http://%s.evil.example" % d.address], 403),
            ("/board", ["Origin: http://localhost:%d" % d.port], 403),  # not what Host says
            ("/board", ["Origin: file://%s" % d.address], 403),
            ("/", [CROSS, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"], 200),
            ("/", [CROSS, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"], 403),
            ("/", [CROSS, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: document"], 403),
            ("/board", [CROSS, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"], 403)):
        check.equal("%s with %s is %d" % (path, ", ".join(headers).replace(d.address, "ADDRESS"),
                    status), d.ask(path, *headers).status, status)

    check.topic("methods, bodies and sizes")
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", "get"):
        check.equal("%s is 405" % method, d.ask("/board", method=method).status, 405)
    check.equal("a body is 413", d.ask("/board", "Content-Length: 5").status, 413)
    check.equal("a body of unknown length is 413",
                d.ask("/board", "Transfer-Encoding: chunked").status, 413)
    check.equal("no body, said in so many words, is fine",
                d.ask("/board", "Content-Length: 0").status, 200)
    check.equal("20 kB of headers are 431", d.ask("/board", "X: " + "x" * 20000).status, 431)
    check.equal("20 kB of address are 414", d.ask("/" + "x" * 20000).status, 414)
    check.check("what is no HTTP gets no page",
                b"chaperone.board" not in d.ask_raw(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n").raw)
    twice = ("GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n" % d.address).encode() * 2
    check.equal("two requests on one connection get one answer",
                d.ask_raw(twice).raw.count(b"HTTP/1.1 "), 1)

# ---- streams -----------------------------------------------------------------------

with Demo("-b", LONG) as d:
    check.topic("a stream tells every board")
    alone = d.descriptors()
    first = d.stream()
    check.equal("it begins with when to come again", first.event(), {"retry": "1000"})
    check.equal("it is of the right kind", first.head.headers["content-type"], "text/event-stream")
    check.check("it is protected", protects(first.head), first.head)
    beat = first.next("beat")
    check.equal("before the first board a beat says there is none", beat["board_age_ms"], None)
    check.equal("and that it is not well", (beat["healthy"], beat["why"]),
                (False, "the station is starting"))
    d.tell('{"schema":"chaperone.board/1",\r"n":1}')
    event = first.event()
    check.equal("a board comes with its name and number", (event["event"], event["id"]),
                ("board", "1"))
    check.equal("a line break in it does not break it", json.loads(event["data"])["n"], 1)
    d.tell("unhealthy the cable is cut")
    beat = first.next("beat")
    check.equal("a change of health is told at once", beat["why"], "the cable is cut")
    check.check("with the age of the board", 0 <= beat["board_age_ms"] < 60000, beat)
    late = d.stream()
    check.equal("who comes later gets the newest board", late.next("board")["n"], 1)
    for n in range(2, 40):
        d.tell('{"schema":"chaperone.board/1","n":%d}' % n)
    for name, stream in (("the first", first), ("the later", late)):
        check.equal("the newest of many reaches %s" % name,
                    stream.next("board", lambda b: b["n"] == 39), {"schema": "chaperone.board/1", "n": 39})
    first.close()
    late.close()

    check.topic("not more than are good")
    bench.until(lambda: d.descriptors() == alone)
    streams = [d.stream() for _ in range(16)]
    check.equal("16 pages of one host are served", {s.status() for s in streams}, {200})
    refused = d.stream()
    check.equal("the 17th is not", refused.status(), 503)
    check.equal("and is told when to try again", refused.head.headers.get("retry-after"), "5")
    check.equal("what is no stream is answered all the same", d.ask("/healthz").status, 503)
    streams.pop().close()

    def one_more_opens():
        streams.append(d.stream())
        return streams[-1].status() == 200

    check.check("a page that is closed makes room, without waiting for a beat",
                bench.until(one_more_opens))
    for s in streams:
        s.close()

with Demo("-b", "50") as d:
    check.topic("signs of life")
    d.publish()
    stream = d.stream()
    ages = [stream.next("beat")["board_age_ms"] for _ in range(4)]
    check.check("beats come by themselves, and the board grows older", ages[0] < ages[-1] and
                ages == sorted(ages), ages)
    stream.close()

# ---- slow ones -----------------------------------------------------------------------

BIG = "x" * 300000

with Demo("-b", LONG, "-p", QUICK) as d:
    check.topic("who is too slow is dropped")
    mute = d.connect()
    check.equal("who says nothing", demo.rest(mute), b"")
    half = d.connect()
    half.sendall(b"GET /board HTTP/1.1\r\nHost: ")
    check.check("who says half", b" 200 " not in demo.rest(half))
    drip, said = d.connect(), 0
    drip.settimeout(0.02)
    for byte in b"GET /board HTTP/1.1\r\nX: " + b"y" * 10000:
        try:
            drip.send(bytes([byte]))
            said += 1
            if drip.recv(1000) == b"":
                break
        except TimeoutError:
            continue
        except ConnectionError:
            break
    check.check("who says one byte after the other", said < 10000, said)
    quick = d.stream()
    quick.status()
    alone = len(d.descriptors())
    still = d.stream(receive_buffer=4096)
    still.status()
    for _ in range(3):
        d.publish(big=BIG)
        check.quiet("who reads gets each board",
                    quick.next("board", lambda b: b["n"] == d.boards) is not None)
    check.check("who stops reading a stream is dropped",
                bench.until(lambda: len(d.descriptors()) <= alone))
    check.equal("and got no whole board",
                (still.next("board"), still.ended), (None, True))
    d.publish()
    check.check("who reads goes on", quick.next("board", lambda b: b["n"] == d.boards))
    quick.close()
    trickle = d.stream(receive_buffer=4096)
    trickle.status()
    d.publish(big=BIG * 10)
    got, alone = len(trickle.socket.recv(512)), len(d.descriptors()) - 1
    while len(d.descriptors()) > alone and got < len(BIG) * 10:
        bench.select.select([], [], [], 0.005)
        got += len(trickle.socket.recv(512))
    got += len(demo.rest(trickle.socket))
    check.check("who reads a stream in drops is dropped in the middle", got < len(BIG) * 10, got)
    alone = len(d.descriptors())
    slow = d.connect(receive_buffer=4096)
    slow.sendall(("GET /board HTTP/1.1\r\nHost: %s\r\n\r\n" % d.address).encode())
    check.check("the others are served meanwhile", len(d.ask("/board").body) > len(BIG) * 10)
    bench.until(lambda: len(d.descriptors()) <= alone)
    check.check("who does not fetch an answer gets half of it", len(demo.rest(slow)) < len(BIG) * 10)

with Demo("-b", LONG) as d:
    check.topic("who is only slow sees the newest, and costs no memory")

    def memory():
        with open("/proc/%d/status" % d.process.pid) as status:
            return int([l for l in status if l.startswith("VmRSS")][0].split()[1])

    d.publish(big=BIG)
    slow = d.stream(receive_buffer=4096)
    slow.status()
    before = memory()
    for _ in range(200):
        d.publish(big=BIG)
    check.check("200 boards of 300 kB do not pile up", memory() - before < 8000 * bench.SLOW,
                (before, memory()))
    seen = []
    slow.next("board", lambda b: seen.append(b["n"]) or b["n"] == d.boards)
    check.equal("the newest arrives", seen[-1], d.boards)
    check.check("few of those before it do", len(seen) < 20, seen)
    slow.close()

# ---- crowds --------------------------------------------------------------------------

with Demo("-p", LONG) as d:
    check.topic("crowds")
    used = d.descriptors()
    crowd = [d.connect() for _ in range(24)]
    check.equal("the 25th connection of a host is shown out", d.ask("/healthz").body,
                b"the station has too many visitors\n")
    check.equal("with 503", d.ask("/healthz").status, 503)
    for i in range(40):
        crowd.append(d.connect(source="127.0.0.%d" % (2 + i // 20)))
    other = d.connect(source="127.0.0.9")
    check.equal("and so is the 65th of all", demo.Answer(demo.rest(other)).status, 503)
    for s in crowd:
        s.close()
    check.equal("when they have gone it is quiet again",
                bench.until(lambda: d.ask("/healthz").body == b"the station is starting\n"), True)

    check.topic("no descriptors left")
    bench.until(lambda: d.descriptors() == used)
    free = min(set(range(len(used) + 1)) - set(used))
    d.tell("descriptors %d" % free)
    check.equal("a visitor is shown out", d.ask("/healthz").body,
                b"the station has no descriptor left\n")
    check.equal("and the next one too", d.ask("/healthz").status, 503)
    d.tell("descriptors 3")     # nor can the spare one be had
    waiting = d.connect()
    waiting.sendall(("GET /board HTTP/1.1\r\nHost: %s\r\n\r\n" % d.address).encode())
    check.equal("the station's own work goes on", d.publish(), "ok")
    d.tell("descriptors 256")
    check.equal("who waited is served when there are some", demo.Answer(demo.rest(waiting)).status, 200)

# ---- addresses -----------------------------------------------------------------------

check.topic("addresses")
for address in ("8765", "127.0.0.1", "127.0.0.1:", ":8765", "127.0.0.1:65536", "127.0.0.1:http",
                "station.example:80", "::1:8765", "[::1:8765", "[127.0.0.1]:8765", ""):
    done = demo.subprocess.run([demo.PROGRAM, address], capture_output=True, text=True, check=False)
    check.equal("%r is none" % address, (done.returncode, "no address and port" in done.stderr),
                (64, True))
with Demo() as d:
    taken = demo.subprocess.run([demo.PROGRAM, d.address], capture_output=True, text=True, check=False)
    check.equal("one that is taken", (taken.returncode, d.is_exposed), (69, False))
with Demo(address="0.0.0.0:0") as d:
    check.check("all of IPv4 is more than this host", d.is_exposed)
    d.host = "127.0.0.1"
    check.equal("each is called by the address it was reached at",
                (d.ask("/", host="127.0.0.1").status, d.ask("/", host="0.0.0.0").status), (200, 421))
if os.path.exists("/proc/net/if_inet6"):
    with Demo(address="[::1]:0") as d:
        check.check("IPv6 loopback is this host alone", not d.is_exposed)
        for host, status in (("[::1]", 200), ("[::1]:%d" % d.port, 200), ("localhost", 200),
                             ("::1", 421), ("127.0.0.1", 421)):
            check.equal("Host: %s is %d" % (host, status), d.ask("/", host=host).status, status)
else:
    print("no IPv6 here")

check.end()
