"""The report of a study: what it says, that it says it safely, and how it is written."""

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from report_study import (
    TASKS,
    agreement_study,
    corpus,
    real_study,
)

from evaluation.records import RunRecord, StudyRecords
from evaluation.report import ReportFiles, read_results, text_table, write_report


def row(markdown: Path, start: str) -> list[str]:
    """Return the cells of the first table row whose first cell begins with `start`."""
    line = next(line for line in markdown.read_text().splitlines() if line.startswith(f"| {start}"))
    return [cell.strip() for cell in line.strip("|").split(" | ")]


class Elements(HTMLParser):
    """The elements of a page: tags, attributes and the text between them."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.text = ""
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a tag, where it leads, and its event handlers."""
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name.split(":")[-1] in LINKING]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        """Remember text."""
        self.text += data


LINKING = ("src", "href", "srcset", "action", "data")
HOSTILE = "<script>alert(1)</script>|x `y` [z](http://a.example) *b* $q$ \n| \u202ez"


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReportFiles, str]:
    """Return folder, report and terminal table of a study of ten tasks on real text."""
    out = tmp_path_factory.mktemp("ten")
    records = real_study(out, n_test=120)
    results = read_results(records, out)
    files = write_report(records, out, results=results)
    return out, files, text_table(records, out, results=results)


Ten = tuple[Path, ReportFiles, str]


def test_report_is_a_page_its_twin_and_figures_in_two_formats(ten: Ten) -> None:
    """A study on real text has a page, a twin and four figures, each as PNG and SVG."""
    out, files, _ = ten
    drawn = ("scores", "gap_subjectivity", "diversity", "similarity")
    names = [f"{name}.{ending}" for name in drawn for ending in ("png", "svg")]
    assert [path.name for path in files.figures] == names
    report = out / "report"
    found = {str(path.relative_to(report)) for path in report.rglob("*") if path.is_file()}
    written = {"report.html", "report.md", "table-1.tex"}
    assert found == written | {f"figures/{name}" for name in names}


def test_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    """A report written again in another folder has the same bytes in every file."""
    names = ("films", "jokes")
    folders = []
    for place in ("a", "b"):
        write_report(real_study(tmp_path / place, names, 60), tmp_path / place)
        report = tmp_path / place / "report"
        folders.append(
            {p.relative_to(report): p.read_bytes() for p in report.rglob("*") if p.is_file()}
        )
    assert folders[0] == folders[1]


def test_page_needs_nothing_but_itself(ten: Ten) -> None:
    """The page loads nothing, and every link leads to a place inside it that is there."""
    page = Elements(ten[1].html)
    text = ten[1].html.read_text()
    assert not page.tags & {"link", "iframe", "img", "object", "embed"}
    assert page.links
    assert {link for link in page.links if f'id="{link[1:]}"' not in text} == set()
    assert "url(http" not in text


def test_page_runs_its_own_script_and_no_other(ten: Ten) -> None:
    """The policy of the page names the hash of its one script: no other text can become one."""
    text = ten[1].html.read_text()
    (script,) = re.findall(r"<script>(.*?)</script>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}';" in text


def test_marks_of_a_figure_say_what_they_are(ten: Ten) -> None:
    """Each point names its task, arm and value, in the page and in the file."""
    svg = next(path for path in ten[1].figures if path.name == "scores.svg").read_text()
    named = re.findall(r"<title>(SMS spam, .*?)</title>", svg)
    assert len(named) == 4
    cells = row(ten[1].markdown, "SMS spam")
    assert f"SMS spam, real: {cells[2]}" in named
    assert all(f'aria-label="{each}"' in ten[1].html.read_text() for each in named)


def test_a_score_leads_to_its_runs(ten: Ten) -> None:
    """The link of a score is the row that lists its runs with their keys."""
    text = ten[1].html.read_text()
    assert '<a href="#run-sms_spam-few_shot">' in text
    (found,) = re.findall(r'<tr id="run-sms_spam-few_shot">(.*?)</tr>', text, flags=re.DOTALL)
    assert "0, 1, 2" in found
    assert found.count("predicti") == 3  # the keys of this study begin so


def test_inline_figures_do_not_share_names(ten: Ten) -> None:
    """No two elements of the page have the same id, though each figure brings its own."""
    ids = re.findall(r'\bid="([^"]+)"', ten[1].html.read_text())
    assert len(ids) == len(set(ids))


def test_sections_come_in_order(ten: Ten) -> None:
    """Question, verdicts, scores, texts, method, settings and runs follow one another."""
    lines = ten[1].markdown.read_text().splitlines()
    heads = [line.lstrip("# ") for line in lines if line.startswith(("# ", "## "))]
    assert heads == [
        "Can an LLM's text stand in for real training data?",
        "Verdicts",
        "Scores",
        "Texts",
        "How to read it",
        "Settings and versions",
        "Runs",
    ]


def test_twin_says_what_the_page_says(ten: Ten) -> None:
    """Every task has a verdict in the Markdown, word for word that of the page."""
    page = " ".join(Elements(ten[1].html).text.split())
    lines = ten[1].markdown.read_text().splitlines()
    verdicts = [
        line
        for line in lines
        if re.match(r"- \*\*.*\*\* \((use it|use \w+ with|collect|not decided)", line)
    ]
    assert len(verdicts) == len(TASKS)
    assert all(line.split("): ", 1)[1] in page for line in verdicts)


def odd_study(out: Path) -> StudyRecords:
    """Return a study with an unranked task, unequal sizes, skipped and missing runs."""
    records = real_study(out, ("jokes", "films", "news"), 40)
    runs = tuple(
        replace(each, n_train=380, n_per_label={"negative": 200, "positive": 180})
        if (each.task, each.arm) == ("films", "zero_shot")
        else each
        for each in records.runs
    )
    skipped = tuple(
        RunRecord(f"s{seed}", "skipped", "films", "mixed", "mini-encoder", "probe", seed, "none")
        for seed in (0, 1)
    )
    jokes, films, news = records.tasks
    return replace(
        records,
        tasks=(jokes, replace(films, subjectivity_rank_remembered=None), news),
        runs=(*runs, *skipped),
        missing=(("films", "llm_labelled", 2),),
    )


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the Markdown of the odd study's report."""
    out = tmp_path_factory.mktemp("odd")
    return write_report(odd_study(out), out).markdown.read_text()


def test_rows_follow_the_remembered_rank_and_unranked_tasks_come_last(odd: str) -> None:
    """Tasks stand by rank, whatever their order in the study; one without a rank stands last."""
    table = odd.partition("### Table 1")[2].partition("### ")[0]
    places = [table.index(f"| {title}") for title in ("News", "Jokes", "Film")]
    assert places == sorted(places)


def test_unranked_task_is_named_where_it_is_not_shown(odd: str) -> None:
    """The figure of the gap says which task it leaves out for want of a rank."""
    assert "Without a rank, so not shown: Film reviews." in odd


def test_skipped_runs_are_named_with_their_reason(odd: str) -> None:
    """A skipped run stands in the report with its seeds and its reason."""
    assert "- **Film reviews, mixed**: skipped (seeds 0 and 1): none" in odd


def test_missing_runs_are_named(odd: str) -> None:
    """A planned run that is not there yet stands in the report with its seed."""
    assert "- **Film reviews, llm_labelled**: not run yet (seed 2)" in odd


def test_unequal_sizes_are_named(odd: str) -> None:
    """Where an arm has fewer training texts the table says so and gives each arm's number."""
    assert "equally many training texts of each label, except in Film reviews" in odd
    assert "real 200; zero_shot 180 to 200; few_shot 200 (real_full 4,100 in all)" in odd


def test_shortfall_names_label_and_reason(odd: str) -> None:
    """A label that got fewer texts than asked for is named with what was rejected."""
    line = next(line for line in odd.splitlines() if "| zero_shot | 400 |" in line)
    assert "funny 13 (187 of 200, rejected: near duplicate 13)" in line


def test_what_was_not_checked_is_words_and_never_zero(odd: str) -> None:
    """A check without anything to compare with says so beside the corpus it was left out for."""
    zero_shot = next(line for line in odd.splitlines() if "| zero_shot | 400 |" in line)
    few_shot = next(line for line in odd.splitlines() if "| few_shot | 400 |" in line)
    assert "not checked" not in zero_shot
    assert "| near duplicate 13 (not checked: copy of a seed example) |" in few_shot


def test_without_real_text_the_report_says_so_and_promises_nothing(tmp_path: Path) -> None:
    """Scores without real text are headed agreement, and neither gap nor verdict is ever named."""
    records = agreement_study(tmp_path)
    files = write_report(records, tmp_path)
    table = text_table(records, tmp_path)
    svgs = [path.read_text() for path in files.figures if path.suffix == ".svg"]
    for text in (files.html.read_text(), files.markdown.read_text(), table, *svgs):
        assert "gap" not in text.lower()
        assert "verdict" not in text.lower()
    for text in (files.html.read_text(), files.markdown.read_text(), table):
        assert "no test on real data" in " ".join(text.split())
        assert "greement between corpora" in text


def test_agreement_is_not_a_score_on_real_text_in_a_study_that_has_both(tmp_path: Path) -> None:
    """A task without real text has its own table and is named in the head."""
    real = real_study(tmp_path, ("films",), 40)
    other = agreement_study(tmp_path, ("jokes",))
    both = replace(real, tasks=(*real.tasks, *other.tasks), runs=(*real.runs, *other.runs))
    text = write_report(both, tmp_path).markdown.read_text()
    assert "For Jokes and headlines this is no test on real data" in text
    assert "Jokes" not in text.split("### Table 1")[1].split("### Agreement")[0]
    assert "**Jokes" not in text.split("## Verdicts")[1].split("## Figures")[0]


def hostile_study(out: Path) -> StudyRecords:
    """Return a study in which everything that others name is an attack."""
    records = real_study(out, ("films",), 40)
    label_names = (HOSTILE, "positive")
    task = replace(
        records.tasks[0],
        title=HOSTILE,
        label_names=label_names,
        real_source=HOSTILE,
        dropped={HOSTILE: 3},
    )
    built = replace(
        corpus("films", "zero_shot"),
        llm=HOSTILE,
        caveats=(HOSTILE,),
        kept={HOSTILE: 3, "positive": 200},
        rejected={HOSTILE: {HOSTILE: 197}},
        failed_requests={HOSTILE: 1},
        warnings={HOSTILE: 1},
        statuses={HOSTILE: "not checked"},
    )
    skipped = RunRecord("s", "skipped", "films", HOSTILE, "mini-encoder", "probe", 0, HOSTILE)
    runs = tuple(
        replace(each, encoder=HOSTILE, versions={HOSTILE: HOSTILE}, settings={HOSTILE: HOSTILE})
        for each in records.runs
    )
    return replace(
        records,
        settings={HOSTILE: HOSTILE},
        tasks=(task,),
        runs=(*runs, skipped),
        measures=tuple(replace(each, encoder=HOSTILE) for each in records.measures),
        corpora=(built,),
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> ReportFiles:
    """Return the report of the hostile study."""
    out = tmp_path_factory.mktemp("hostile")
    return write_report(hostile_study(out), out)


def test_hostile_names_stay_text_in_the_page(hostile: ReportFiles) -> None:
    """Whatever labels, titles, LLMs, reasons and sources hold, the page shows it and obeys none."""
    page = Elements(hostile.html)
    assert hostile.html.read_text().count("<script") == 1  # its own
    assert "a" in page.tags
    assert all(link.startswith("#") for link in page.links)
    assert not page.handlers
    assert page.text.count("<script>alert(1)</script>|x `y`") > 10


def test_hostile_names_stay_text_in_the_twin(hostile: ReportFiles) -> None:
    """In Markdown they open no tag, no code, no link, and no further cell or line of a table."""
    text = hostile.markdown.read_text()
    assert "<" not in text
    assert r"\[z\](http" in text
    assert not re.search(r"(?<!\\)[`$]", text)
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    for table in tables:
        cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table


def test_hostile_names_stay_text_in_the_figures(hostile: ReportFiles) -> None:
    """A title with markup and formula signs is drawn letter by letter in the SVG."""
    svg = next(path for path in hostile.figures if path.name == "scores.svg").read_text()
    assert "&lt;script&gt;alert(1)" in svg
    assert "<script" not in svg


def test_terminal_table_fits_a_hundred_columns(tmp_path: Path) -> None:
    """No line is longer than 100 columns, with four arms and hostile names too."""
    for study in (
        real_study(tmp_path, ("films", "jokes"), 40),
        hostile_study(tmp_path),
        agreement_study(tmp_path),
    ):
        lines = text_table(study, tmp_path).splitlines()
        assert max(map(len, lines)) <= 100


def test_terminal_table_and_report_give_the_same_figures(ten: Ten) -> None:
    """A task's scores and gaps in the terminal are those of Table 1."""
    _, files, table = ten
    line = next(line for line in table.splitlines() if line.startswith("sms_spam"))
    cells = row(files.markdown, "SMS spam")
    scores = [cells[place].split(" (")[0] for place in (2, 3, 5, 7)]
    assert line.split()[1:] == [*scores, *cells[4].split(), *cells[6].split()]


def test_rank_is_labelled_as_remembered_and_nothing_is_fitted(ten: Ten) -> None:
    """The figure of the gap names its rank for what it is, and every task beside its points."""
    svg = next(path for path in ten[1].figures if path.name == "gap_subjectivity.svg").read_text()
    assert "rank remembered from the paper, not measured here" in svg
    drawn = "".join(re.findall(r">([^<>]+)</(?:text|tspan)>", svg))
    assert all(name in drawn for name in TASKS)
    caption = ten[1].markdown.read_text()
    assert "correlation" not in caption
    assert "No trend is fitted" in caption
