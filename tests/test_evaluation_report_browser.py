"""The report in a real browser: its script runs under its own policy, and it fits every screen."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from report_study import real_study
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from evaluation.report import write_report

BROWSER, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs chromium and chromedriver"),
    # The driver is reached over a socket that the client closes late.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of a study of ten tasks."""
    out = tmp_path_factory.mktemp("browser")
    return write_report(real_study(out, n_test=60), out).html


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    """Return a browser without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for option in (*OPTIONS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    try:
        yield browser
    finally:
        browser.quit()


@pytest.fixture
def browser(started: webdriver.Chrome, page: Path) -> webdriver.Chrome:
    """Return the browser with the report open on a usual screen."""
    started.set_window_size(1200, 900)
    started.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    started.get(page.as_uri())
    return started


def soon(browser: webdriver.Chrome, condition: Callable[[], bool]) -> None:
    """Wait until something is so: a page hears of the pointer, and of an address, a moment later.

    Raises:
        TimeoutException: It is not.
    """
    WebDriverWait(browser, 60).until(lambda _: condition())


def heads(browser: webdriver.Chrome, table: str) -> list[str]:
    """Return the first cells of the rows of a table."""
    cells = browser.find_elements(By.CSS_SELECTOR, f"#{table} tbody th")
    return [cell.text.split("\n")[0] for cell in cells]


def head(browser: webdriver.Chrome, column: int) -> WebElement:
    """Return the head of a column of Table 1."""
    row = "#table-1 thead tr:last-child th"
    return browser.find_elements(By.CSS_SELECTOR, row)[column]


def test_the_page_runs_without_a_complaint(browser: webdriver.Chrome) -> None:
    """Nothing is refused by the page's own policy, nothing is asked for, no error is raised."""
    assert [entry["message"] for entry in browser.get_log("browser")] == []


def test_a_click_on_a_head_sorts_and_a_third_one_restores(browser: webdriver.Chrome) -> None:
    """Largest first, then smallest first, then the order of the report, by size and not by text."""
    before = heads(browser, "table-1")
    column = head(browser, 4)  # the gap of zero_shot
    values = "return [...document.querySelectorAll('#table-1 tbody tr')].map("
    values += "row => parseFloat(row.cells[4].firstChild.textContent))"
    for order, direction in ((-1, "descending"), (1, "ascending")):
        column.find_element(By.TAG_NAME, "button").click()
        found = browser.execute_script(values)
        assert found == sorted(found, key=lambda value: order * value)
        assert column.get_attribute("aria-sort") == direction
    column.find_element(By.TAG_NAME, "button").click()

    assert heads(browser, "table-1") == before
    assert column.get_attribute("aria-sort") is None


def test_pointing_at_a_mark_says_what_it_is(browser: webdriver.Chrome) -> None:
    """The text stands inside the window, and goes when the pointer leaves."""
    mark = browser.find_element(By.CSS_SELECTOR, "#figure-scores .tip")
    tip = browser.find_element(By.ID, "tip")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
    ActionChains(browser).move_to_element(mark).perform()

    soon(browser, lambda: bool(tip.text) and tip.text == mark.get_attribute("aria-label"))
    box = browser.execute_script("return arguments[0].getBoundingClientRect().toJSON()", tip)
    assert 0 <= box["left"] <= box["right"] <= 1200
    ActionChains(browser).move_to_element(browser.find_element(By.TAG_NAME, "h1")).perform()
    soon(browser, lambda: not tip.is_displayed())


def test_a_score_opens_the_row_of_its_runs(browser: webdriver.Chrome) -> None:
    """The list of runs is folded until a score is followed to it."""
    row = browser.find_element(By.ID, "run-news-real")
    assert not row.is_displayed()

    browser.find_element(By.CSS_SELECTOR, "#table-1 tbody td a").click()

    soon(browser, row.is_displayed)


@pytest.mark.parametrize("width", [360, 768, 1600])
def test_the_page_is_never_wider_than_the_screen(browser: webdriver.Chrome, width: int) -> None:
    """Wide tables and figures scroll inside their own frame."""
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        soon(browser, lambda: bool(browser.execute_script("return innerWidth") == width))
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(browser: webdriver.Chrome, scheme: str) -> None:
    """Contrast of at least 4.5 to 1 (WCAG 2.1, criterion 1.4.3), of small and muted text too."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    colours = browser.execute_script(
        "const of = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e)"
        ".backgroundColor; if (!c.startsWith('rgba(0, 0, 0, 0')) return c; } };"
        "return [...document.querySelectorAll('h1, h2, h3, p, th, td, small, dt, dd, a, figcaption,"
        " .judged dt span')].map(e => [getComputedStyle(e).color, of(e), e.outerHTML.slice(0, 60)])"
    )

    assert len(colours) > 100
    assert {html for text, back, html in colours if contrast(text, back) < 4.5} == set()


def contrast(text: str, back: str) -> float:
    """Return the contrast ratio of two colours `rgb(r, g, b)` as WCAG 2.1 defines it."""
    bright, dark = sorted((luminance(text), luminance(back)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance, 0 to 1."""
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_table_has_heads_and_every_figure_a_text(browser: webdriver.Chrome) -> None:
    """A screen reader learns what each column, row and figure is."""
    for table in browser.find_elements(By.TAG_NAME, "table"):
        columns = table.find_elements(By.CSS_SELECTOR, "thead tr:last-child th[scope=col]")
        rows = table.find_elements(By.CSS_SELECTOR, "tbody tr")
        assert columns
        assert len(table.find_elements(By.CSS_SELECTOR, "tbody th[scope=row]")) == len(rows)
    figures = browser.find_elements(By.CSS_SELECTOR, "figure svg")
    assert figures
    assert all(figure.get_attribute("aria-label") for figure in figures)
