"""The tests of ci/browser. Each page of a run is opened from the disk."""

import sys
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

WORK = Path(sys.argv[1]).resolve()
RUNS = ["breach", "hostile", "unproven", "whole"]
BYTES_MAX = 2_000_000
FAILURES = []


def expect(holds, what):
    if not holds:
        FAILURES.append(what)
        print(f"FAILED {what}")


class Opened:
    """A page with all that it reported while it was open."""

    def __init__(self, browser, path, **options):
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.page = self.context.new_page()
        self.errors, self.requests = [], []
        self.page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri() if isinstance(path, Path) else path)

    def picture(self, name, **options):
        self.page.screenshot(path=WORK / f"{name}.png", **options)

    def close(self):
        self.context.close()


def opens(browser, run):
    path = WORK / run / "report.html"
    expect(path.stat().st_size < BYTES_MAX, f"{run}: {path.stat().st_size} bytes")
    opened = Opened(browser, path)
    expect(not opened.errors, f"{run}: errors {opened.errors}")
    expect(opened.requests == [path.as_uri()], f"{run}: requests {opened.requests}")
    opened.picture(f"{run}-first")
    missing = opened.page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    expect(not missing, f"{run}: links to nothing {missing[:5]}")
    expect(opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{run}: wider than the window")
    opened.close()


def is_accessible(browser, run, scheme):
    # Axe runs in the page, so this test switches the policy off. The others keep it.
    opened = Opened(browser, WORK / run / "report.html", color_scheme=scheme, bypass_csp=True)
    opened.page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    for fault in Axe().run(opened.page).response["violations"]:
        places = [node["html"][:120] for node in fault["nodes"][:3]]
        expect(False, f"{run}, {scheme}: {fault['id']}: {fault['help']} ({len(fault['nodes'])}): {places}")
    opened.picture(f"{run}-{scheme}")
    print(f"opened {run} in {scheme}", flush=True)
    opened.close()


def filters(browser):
    opened = Opened(browser, WORK / "whole" / "report.html")
    page = opened.page
    rows = "[...document.querySelectorAll('tr[data-verdict]')]"
    visible = f"{rows}.filter(row => row.offsetParent !== null)"
    every = page.evaluate(f"{rows}.length")
    expect(page.evaluate(f"{visible}.length") == every and every > 300, f"all {every} rows are shown at first")
    for name, value in [("verdict", "broken"), ("aspect", "detection"), ("basis", "proposed"), ("commitment", "7")]:
        page.select_option(f"select[name={name}]", value)
        expected = page.evaluate(f"{rows}.filter(row => row.dataset.{name} === '{value}').length")
        shown = page.evaluate(f"{visible}.map(row => row.dataset.{name})")
        expect(set(shown) == {value} and len(shown) == expected, f"filter {name}={value}: {len(shown)} of {expected}")
        expect(page.inner_text("#count") == f"{expected} of {every} checks", f"count: {page.inner_text('#count')}")
        expect(page.url.endswith(f"#{name}={value}"), f"the address keeps the filter: {page.url}")
        page.reload()
        expect(page.evaluate(f"{visible}.length") == expected, f"filter {name}={value} after a reload")
        page.click("button[type=reset]")
        page.wait_for_function(f"{visible}.length === {every}")
    # Two filters at once, then a link to a row that they hide.
    page.select_option("select[name=verdict]", "broken")
    page.select_option("select[name=commitment]", "6")
    shown = page.evaluate(f"{visible}.every(row => row.dataset.verdict === 'broken' && row.dataset.commitment === '6')")
    expect(shown, "two filters")
    opened.picture("whole-filtered")
    hidden = page.evaluate(f"{rows}.find(row => row.hidden).id")
    page.evaluate(f"location.hash = '{hidden}'")
    page.wait_for_function(f"document.getElementById('{hidden}').offsetParent !== null")
    expect(not opened.errors, f"filters: errors {opened.errors}")
    opened.close()


def keyboard(browser):
    opened = Opened(browser, WORK / "breach" / "report.html")
    page = opened.page
    page.keyboard.press("Tab")
    expect(page.evaluate("document.activeElement.className") == "skip", "the first stop skips to the report")
    page.keyboard.press("Enter")
    expect(page.evaluate("document.activeElement.id") == "main", "it leads to the report")
    stops = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        stops.add(page.evaluate("document.activeElement.tagName"))
    expect({"A", "SUMMARY", "SELECT", "BUTTON"} <= stops, f"the keyboard reaches {stops}")
    opened.close()


def nothing_hostile_runs(browser):
    opened = Opened(browser, WORK / "hostile" / "report.html")
    page = opened.page
    expect("window.ran=1" in page.content(), "the hostile texts are in the page")
    expect(page.evaluate("window.ran") is None, "a hostile text ran")
    counts = page.evaluate("['script', 'img', 'svg[onload]', 'a[href^=javascript]'].map(s => document.querySelectorAll(s).length)")
    expect(counts == [1, 0, 0, 0], f"elements of a hostile text: {counts}")
    opened.close()
    # Even if an escape were missing, the policy would stop it.
    text = (WORK / "hostile" / "report.html").read_text()
    attack = "<script>window.ran=1</script><img src=x onerror='window.ran=1'><style>body{display:none}</style>"
    broken = WORK / "unescaped.html"
    broken.write_text(text.replace("<main", attack + "<main", 1))
    opened = Opened(browser, broken)
    expect(opened.page.evaluate("window.ran") is None, "the policy let a script run")
    expect(opened.page.evaluate("getComputedStyle(document.body).display") != "none", "the policy let a style in")
    expect(len(opened.errors) >= 3, f"the policy reported {opened.errors}")
    opened.close()


def other_media(browser):
    path = WORK / "breach" / "report.html"
    narrow = Opened(browser, path)
    narrow.page.set_viewport_size({"width": 390, "height": 844})
    expect(narrow.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "narrow: wider than the window")
    narrow.picture("narrow")
    narrow.page.evaluate("document.getElementById('breaches').scrollIntoView()")
    narrow.picture("narrow-breach")
    narrow.close()
    printed = Opened(browser, path, color_scheme="dark")
    printed.page.pdf(path=WORK / "print.pdf", format="A4", margin={"top": "15mm", "bottom": "15mm", "left": "12mm", "right": "12mm"})
    printed.page.emulate_media(media="print")
    ground = printed.page.evaluate("getComputedStyle(document.body).backgroundColor")
    expect(ground == "rgb(255, 255, 255)", f"print: ground {ground}")
    printed.picture("print")
    printed.close()
    plain = Opened(browser, path, java_script_enabled=False)
    plain.picture("without-script")
    plain.close()
    breach = Opened(browser, path)
    breach.page.goto(path.as_uri() + "#breaches")
    breach.page.set_viewport_size({"width": 1280, "height": 1500})
    breach.picture("breach")
    breach.close()


with sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    for name in RUNS:
        opens(chromium, name)
        # The colours are the same in each page, so that two pages suffice for the dark ones.
        for colours in ["light", "dark"] if name in RUNS[:2] else ["light"]:
            is_accessible(chromium, name, colours)
    filters(chromium)
    keyboard(chromium)
    nothing_hostile_runs(chromium)
    other_media(chromium)
    chromium.close()
print(f"{len(FAILURES)} failures; screenshots in {WORK}")
sys.exit(bool(FAILURES))
