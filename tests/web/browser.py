#!/usr/bin/env python3
"""browser: the page as Chromium shows it, without a station and with a real one"""
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import demo  # noqa: E402
from demo import Demo, bench  # noqa: E402

check = bench.begin("browser")
SOURCE = os.path.dirname(os.path.dirname(HERE))


def find_playwright():
    for folder in (SOURCE, os.getcwd(), os.path.dirname(os.getcwd())):
        if os.path.isdir(os.path.join(folder, "node_modules", "playwright-core")):
            return os.path.join(folder, "node_modules", "playwright-core")
    return None


NODE, CHROMIUM, PLAYWRIGHT = shutil.which("node"), shutil.which("chromium"), find_playwright()
why = (demo.absent() or (not NODE and "no node here") or (not CHROMIUM and "no chromium here") or
       (not PLAYWRIGHT and "no playwright-core here: tools/setup --tests") or
       (bench.SLOW > 1 and "once is enough: the build without sanitizers runs it"))
if why:
    print("skipped: " + why)
    sys.exit(bench.SKIPPED)


class Browser:
    def __init__(self):
        env = bench.environment({"PLAYWRIGHT": PLAYWRIGHT, "CHROMIUM": CHROMIUM})
        self.process = subprocess.Popen([NODE, os.path.join(HERE, "browser.js")], env=env, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        bench._children.append(self.process)

    def do(self, order, **keys):
        self.process.stdin.write(json.dumps(dict(keys, do=order)) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer.get("is") if "error" not in answer else answer

    def open(self, address, **keys):
        return self.do("open", url="http://%s/" % address, **keys)

    def get(self, js):
        return self.do("get", js=js)

    def shows(self, sentence, js):
        """It becomes true in the page."""
        answer = self.do("until", js=js)
        return check.check(sentence, answer is True, "%s\n%s" % (answer, self.get(
            "document.body.dataset.link + ' ' + document.body.innerText.slice(0, 600)")))

    def quit(self):
        self.process.stdin.close()
        self.process.wait(bench.ANSWER_SECONDS)


def tile(n, state="ready", slot=True, **keys):
    word = {"ready": "ready to unplug", "person": "needs you"}.get(state, state)
    return dict({"id": "t%d" % n, "slot": str(n) if slot else None, "state": state, "word": word,
                 "detail": "unlock the iPad" if state == "person" else None, "name": "iPad %d" % n,
                 "model": None, "os": None, "policy": None, "verdict": None, "reason": None,
                 "step": None, "since": "2026-11-24T09:00:0%dZ" % (n % 10), "failures_today": 0}, **keys)


def show(d, *tiles, **keys):
    board = {"schema": "chaperone.board/1", "station": "Shop", "at": "2026-11-24T09:30:00Z",
             "since": "2026-11-24T08:00:00Z", "counts": {"today": {"compliant": 41, "noncompliant": 0,
             "blocked": 0, "failed": 2}, "attached": len(tiles), "working": 0, "waiting": 0},
             "tiles": list(tiles), "events": [], "worst_slots": [], "policies": [], "notice": None}
    assert d.tell(json.dumps(dict(board, **keys))) == "ok"


LIVE = "document.body.dataset.link === 'live'"
ORDER = "[...document.querySelectorAll('.tile')].map((t) => t.dataset.id).join()"
CLASS = "document.querySelector('[data-id=%s]')?.classList.contains('%s')"
# What is said covers neither the number above it nor the name below, and none of it is cut off.
APART = """[...document.querySelectorAll('.tile')].every((tile) => {
    const box = (name) => tile.querySelector(name).getBoundingClientRect();
    const word = box('.word'), detail = box('.detail'), who = box('.who'), slot = box('.slot');
    const end = Math.max(word.bottom, detail.bottom), whole = tile.getBoundingClientRect();
    return word.top >= slot.bottom - 1 && (who.height === 0 || end <= who.top + 1) && end <= whole.bottom;
})"""
WORDY = ["no answer: plug it in again", "tap Trust on the iPad", "unlock the iPad",
         "update the iPad first", "the iPad refused", "finish setting up the iPad first"]
GREEN = "getComputedStyle(document.querySelector('[data-id=%s]')).backgroundColor === 'rgb(8, 119, 79)'"
b = Browser()

with Demo() as d:
    d.tell("healthy")
    check.topic("tiles")
    b.open(d.address)
    b.shows("without a board it says that the station is starting",
            "document.body.innerText.includes('The station is starting')")
    show(d)
    b.shows("without devices it says what to do", "document.body.innerText.includes('Plug in an iPad.')")
    show(d, tile(10, "working"), tile(2, "person"), tile(1))
    b.shows("slots are in order", ORDER + " === 't1,t2,t10'")
    b.shows("ready is green", GREEN % "t1")
    check.equal("what is to do is said", b.get("document.querySelector('[data-id=t2]').innerText"
                ".replace(/\\s+/g, ' ').includes('needs you unlock the iPad')"), True)
    show(d, tile(1, "failed"), tile(2, "ready"), tile(10, "empty"))
    b.shows("tiles change as boards come", CLASS % ("t2", "ready"))
    check.check("what failed is green no more", not b.get(GREEN % "t1"))
    b.shows("the change is said aloud",
            "document.getElementById('spoken').textContent.includes('Slot 2: ready to unplug')")
    show(d, tile(1, "ready", False), tile(2, "working", False), tile(3, "person", False), tile(4, "failed", False))
    b.shows("without slots who needs someone comes first", ORDER + " === 't3,t4,t1,t2'")
    show(d, tile(1, "someday"))
    b.shows("a state it does not know is not green", CLASS % ("t1", "unknown"))

    check.topic("foreign words")
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    show(d, tile(1, name=evil), tile(2, "person", False, name=evil), notice=evil, station=evil,
         events=[{"at": "2026-11-24T09:00:00Z", "text": evil, "tile": "t1", "tone": "bad"}])
    b.shows("a name is shown as text", "document.querySelector('[data-id=t1] .who')"
            ".textContent.startsWith(%s)" % json.dumps(evil))
    check.equal("and makes no element", b.get("document.querySelectorAll('img').length + "
                "document.querySelectorAll('script').length"), 1)

    check.topic("without a mouse")
    show(d, *[tile(n) for n in range(1, 7)])
    b.shows("six tiles", "document.querySelectorAll('.tile').length === 6")
    b.do("press", keys=["Tab", "ArrowRight", "ArrowRight"])
    check.equal("arrows move", b.get("document.activeElement.dataset.id"), "t3")
    b.do("press", keys=["End", "Enter"])
    b.shows("Enter shows all of one device", "document.getElementById('detail').open && "
            "document.getElementById('detail-title').textContent === 'Slot 6: ready to unplug'")
    b.do("press", keys=["Escape"])
    b.shows("Escape closes it", "!document.getElementById('detail').open")

    check.topic("60 devices, dark, and a phone")
    show(d, *[tile(n, "person" if n % 9 == 0 else "ready") for n in range(1, 61)])
    b.shows("60 tiles on 1280x800", "document.querySelectorAll('.tile').length === 60")
    check.check("need no scrolling", b.get(
        "(() => { const m = document.querySelector('main'); return m.scrollHeight <= m.clientHeight })()"))
    check.check("and no word is cut off", b.get("[...document.querySelectorAll('.word')].every((w) =>"
                " w.getBoundingClientRect().bottom <= w.closest('.tile').getBoundingClientRect().bottom)"))
    for n in (1, 12, 60):
        show(d, *[tile(i, "failed" if i % 2 else "person", detail=WORDY[i % len(WORDY)])
                  for i in range(1, n + 1)])
        b.shows("%d tiles with much to say: nothing covers anything" % n,
                "document.querySelectorAll('.tile').length === %d && %s" % (n, APART))
    show(d, *[tile(i, s) for i, s in enumerate(("ready", "working", "person", "failed", "empty"), 1)])
    b.shows("without colours too each state has its shape", "new Set([...document.querySelectorAll("
            "'.tile use')].map((u) => u.getAttribute('href'))).size === 5")
    show(d, *[tile(n, "person" if n % 9 == 0 else "ready") for n in range(1, 61)])
    b.open(d.address, dark=True, reduced=True)
    b.shows("dark is dark", "getComputedStyle(document.body).backgroundColor === 'rgb(14, 17, 20)' && " + LIVE)
    b.open(d.address, width=390, height=780)
    b.shows("a phone needs no scrolling sideways", LIVE + " && document.documentElement.scrollWidth <= 390")
    check.equal("Chromium has nothing to complain about", b.do("complaints"), [])

    check.topic("other sites")
    board = "http://%s/board" % d.address
    b.do("open", url="http://rebound.example:%d/" % d.port)
    b.shows("a foreign name that points here shows nothing",
            "document.body.innerText.trim() === 'this station is not called by that name'")
    b.do("open", url="about:blank")
    for how, options in (("asks for the board", "{}"), ("asks without CORS", "{mode: 'no-cors'}")):
        check.equal("another site that %s gets nothing" % how, b.get(
            "fetch(%s, %s).then((r) => r.type === 'opaque' ? '' : r.text(), () => '')"
            % (json.dumps(board), options)), "")
    b.get("(() => { const f = document.createElement('iframe'); f.src = 'http://%s/'; "
          "document.body.append(f); return new Promise((done) => f.onload = () => done(0)) })()" % d.address)
    check.equal("and no frame shows it", b.do("frames", text="ready to unplug"), 0)
    b.do("complaints")
    b.open(d.address)

    check.topic("what may be old is not green")
    d.tell("unhealthy usbmuxd is gone")
    b.shows("trouble is told", "document.body.innerText.includes('usbmuxd is gone')")
    d.tell("healthy")
    b.open(d.address)
    b.shows("before: green", LIVE + " && " + GREEN % "t1")
    address = d.address
b.shows("a station that went away is told", "document.body.innerText.includes('No connection')")
check.check("nothing is green then", not b.get(GREEN % "t1"))
with Demo(address=address) as d:
    d.tell("healthy")
    show(d, tile(1), tile(2, "person"))
    b.shows("when it is back, the page is too", LIVE + " && " + CLASS % ("t2", "person"))
with Demo("-s", "300", "-b", "100") as d:
    d.tell("healthy")
    show(d, tile(1))
    b.open(d.address)
    b.shows("a board that grew old is told, and not green",
            "document.body.dataset.link === 'old' && !(%s)" % (GREEN % "t1"))

check.topic("a real station, and a hand that plugs and unplugs")
with bench.Bench([bench.ours("one"), bench.device("two", supervised_by=bench.OTHER)]) as v:
    os.makedirs(bench.path("policies"), exist_ok=True)
    bench.write("policies/shop.yaml", json.dumps({
        "version": 1, "name": "shop", "identity": bench.path("acme.pem"),
        "profiles": [{"preset": "imessage-off"}]}))
    station = v.start("station", "--policies", bench.path("policies"), "--ledger",
                      bench.path("station.db"), "--http", "127.0.0.1:0")
    station.wait_for("/\n")
    found = bench.re.search("http://([0-9.:]+)/", "".join(station.so_far()))
    if check.check("it says where its page is", found, "".join(station.so_far())):
        b.open(found.group(1))
        b.shows("ours becomes ready", "document.querySelectorAll('.tile.ready').length === 1")
        v.tell("unplug", "one")
        b.shows("unplugged, it is not ready any more", "document.querySelectorAll('.tile.ready').length === 0")
        v.tell("plug", "one")
        b.shows("plugged in again, it is", "document.querySelectorAll('.tile.ready').length === 1")
        check.check("another's device never was", b.get("document.querySelectorAll('.tile').length") >= 2)
    check.check("the station runs", station.process.poll() is None, station.so_far())
    station.signal(bench.signal.SIGTERM)
    station.finish()
    b.shows("a station that ended is told", "document.body.dataset.link === 'lost'")

b.quit()
check.end()
