"""Embeddings: each text once, in whatever order, shared by processes, never from a damaged file."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from builders.errors import UserError
from trainers.embeddings import SEGMENT, Embeddings, Pooling, Vectors, cache_folder
from trainers.encoders import EMBEDDED, Encoder, load_encoder

TEXTS = [
    "The ferry leaves at nine from the second pier.",
    "Rain again, and the umbrella is on the train!",
    "a",
    "Grüße aus Köln — naïve café, 東京, и привет.",
    "\t\n  ",
    "A long one: " + "the committee met and the committee adjourned, " * 60,
]


def tiny_encoder(folder: Path, seed: int = 0) -> Encoder:
    """Write a BERT of two layers of 16 units with weights drawn by `seed`."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=len(words),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
        )
        BertModel(config).save_pretrained(folder)
    BertTokenizer({word: i for i, word in enumerate(words)}).save_pretrained(folder)
    return load_encoder(str(folder))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """Return a small encoder that takes no time."""
    return tiny_encoder(tmp_path_factory.mktemp("tiny"))


def segments(embeddings: Embeddings) -> list[Path]:
    """Return the files of a cache."""
    return sorted(embeddings.folder.iterdir())


# What it gives


def mean_of_tokens(encoder: Encoder, texts: list[str]) -> Vectors:
    """Return unit vectors by transformers alone: the mean over the tokens, padding left out."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(encoder.path)
    model = AutoModel.from_pretrained(encoder.path).eval()
    rows = []
    with torch.inference_mode():
        for text in texts:
            given = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
            rows.append(model(**given).last_hidden_state[0].mean(0))
    found: Vectors = torch.nn.functional.normalize(torch.stack(rows)).numpy()
    return found


def test_mean_pooling_is_the_mean_of_the_tokens_at_unit_length(tmp_path: Path) -> None:
    """The vectors of the embedded encoder are those of transformers, text by text, to 1e-5."""
    encoder = load_encoder(EMBEDDED)

    vectors = Embeddings(encoder, folder=tmp_path).of(TEXTS)

    np.testing.assert_allclose(vectors, mean_of_tokens(encoder, TEXTS), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_mean_pooling_is_what_sentence_transformers_gives(tmp_path: Path) -> None:
    """The vectors of the embedded encoder are those of sentence-transformers to 1e-5."""
    from sentence_transformers import SentenceTransformer

    encoder = load_encoder(EMBEDDED)

    vectors = Embeddings(encoder, folder=tmp_path).of(TEXTS)

    direct = SentenceTransformer(str(encoder.path)).encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(vectors, direct, atol=1e-5)


def test_first_pooling_is_the_last_hidden_state_of_the_first_token(tmp_path: Path) -> None:
    """With `first` the vectors are BERT's `last_hidden_state[:, 0]` to 1e-5, not normalised."""
    import torch
    from transformers import AutoTokenizer, BertModel

    encoder = load_encoder(EMBEDDED)
    tokenizer = AutoTokenizer.from_pretrained(encoder.path)
    model = BertModel.from_pretrained(encoder.path).eval()
    texts = TEXTS[:5]

    vectors = Embeddings(encoder, "first", tmp_path).of(texts)

    with torch.inference_mode():
        rows = [model(**tokenizer(t, return_tensors="pt")).last_hidden_state[0, 0] for t in texts]
    np.testing.assert_allclose(vectors, torch.stack(rows).numpy(), atol=1e-5)


def test_an_encoder_without_a_pooling_of_its_own_gets_the_mean(
    tmp_path: Path, tiny: Encoder
) -> None:
    """A plain transformers folder is pooled by the mean over its tokens too."""
    vectors = Embeddings(tiny, folder=tmp_path).of(["abc", "de"])

    np.testing.assert_allclose(vectors, mean_of_tokens(tiny, ["abc", "de"]), atol=1e-5)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_an_encoder_stored_in_half_precision_computes_in_single(
    tmp_path: Path, tiny: Encoder, precision: str, pooling: Pooling
) -> None:
    """The vectors are those of the same rounded weights stored in float32, bit by bit."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    encoders = []
    for stored in (precision, "float32"):
        folder = tmp_path / stored
        model = AutoModel.from_pretrained(tiny.path).to(getattr(torch, precision))
        model.to(getattr(torch, stored)).save_pretrained(folder)
        AutoTokenizer.from_pretrained(tiny.path).save_pretrained(folder)
        encoders.append(load_encoder(str(folder)))

    half, single = (Embeddings(each, pooling, tmp_path).of(["abc", "de"]) for each in encoders)

    np.testing.assert_array_equal(half, single)
    assert half.dtype == np.float32


def test_an_encoder_that_cannot_be_loaded_is_one_line(tmp_path: Path, tiny: Encoder) -> None:
    """A folder that no library can read is refused with a line that names the encoder."""
    broken = tmp_path / "broken"
    shutil.copytree(tiny.path, broken)
    (broken / "config.json").write_text('{"model_type": "no-such-architecture"}')

    with pytest.raises(UserError, match=r"--encoder .*broken: cannot be loaded") as refused:
        Embeddings(load_encoder(str(broken)), folder=tmp_path).of(["a"])

    assert "\n" not in str(refused.value)


def test_rows_follow_the_order_of_the_texts(tmp_path: Path, tiny: Encoder) -> None:
    """Row i belongs to text i, whatever the order of the encoding and of earlier calls."""
    embeddings = Embeddings(tiny, folder=tmp_path)
    forwards = embeddings.of(["abc", "a longer text", "z"])

    backwards = embeddings.of(["z", "a longer text", "abc"])

    np.testing.assert_array_equal(backwards, forwards[::-1])
    assert len({row.tobytes() for row in forwards}) == 3


def test_no_texts_have_no_vectors(tmp_path: Path, tiny: Encoder) -> None:
    """An empty list is answered without loading anything."""
    embeddings = Embeddings(tiny, folder=tmp_path)

    assert embeddings.of([]).shape == (0, 0)
    assert embeddings.encoded == 0


# Each text once


def test_a_text_that_stands_twice_is_encoded_once(tmp_path: Path, tiny: Encoder) -> None:
    """Of three texts of which two are equal two are encoded, and all three have a row."""
    embeddings = Embeddings(tiny, folder=tmp_path)

    vectors = embeddings.of(["abc", "de", "abc"])

    assert embeddings.encoded == 2
    np.testing.assert_array_equal(vectors[0], vectors[2])


def test_texts_that_differ_in_case_are_two(tmp_path: Path, tiny: Encoder) -> None:
    """The cache goes by the exact text; an encoder may tell apart what a comparison does not."""
    embeddings = Embeddings(tiny, folder=tmp_path)

    embeddings.of(["abc", "Abc", "abc "])

    assert embeddings.encoded == 3


def test_a_known_text_is_not_encoded_again(tmp_path: Path, tiny: Encoder) -> None:
    """Of a second call only the new texts are encoded, and the bar hears of these alone."""
    heard: list[int] = []
    embeddings = Embeddings(tiny, folder=tmp_path, progress=heard.append)
    embeddings.of(["abc", "de"])

    embeddings.of(["de", "f", "abc"])

    assert embeddings.encoded == 3
    assert heard == [2, 1]


def test_missing_counts_the_texts_that_are_not_in_the_cache(tmp_path: Path, tiny: Encoder) -> None:
    """`missing` counts each distinct unknown text once."""
    embeddings = Embeddings(tiny, folder=tmp_path)
    embeddings.of(["abc"])

    assert Embeddings(tiny, folder=tmp_path).missing(["abc", "x", "y", "x"]) == 2


def test_a_second_object_finds_what_the_first_encoded(tmp_path: Path, tiny: Encoder) -> None:
    """The cache on disk gives the same vectors bit by bit."""
    first = Embeddings(tiny, folder=tmp_path).of(["abc", "de"])
    again = Embeddings(tiny, folder=tmp_path)

    np.testing.assert_array_equal(again.of(["abc", "de"]), first)
    assert again.encoded == 0


def test_an_object_finds_what_another_encoded_since(tmp_path: Path, tiny: Encoder) -> None:
    """Segments that another process wrote meanwhile are read before anything is encoded."""
    one, other = Embeddings(tiny, folder=tmp_path), Embeddings(tiny, folder=tmp_path)
    one.of(["abc"])
    other.of(["de"])

    one.of(["abc", "de"])

    assert one.encoded == 1


def test_poolings_do_not_share_vectors(tmp_path: Path, tiny: Encoder) -> None:
    """`mean` and `first` of one encoder are two caches."""
    mean = Embeddings(tiny, "mean", tmp_path).of(["abc"])
    first = Embeddings(tiny, "first", tmp_path)

    assert np.abs(first.of(["abc"]) - mean).max() > 1e-3
    assert first.encoded == 1


def test_encoders_do_not_share_vectors(tmp_path: Path, tiny: Encoder) -> None:
    """Two encoders of one shape with other weights are two caches."""
    Embeddings(tiny, folder=tmp_path).of(["abc"])
    other = Embeddings(tiny_encoder(tmp_path / "other", seed=1), folder=tmp_path)

    other.of(["abc"])

    assert other.encoded == 1


def test_the_cache_is_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Encoder
) -> None:
    """`UNDERSTUDY_CACHE` wins over `XDG_CACHE_HOME`, which wins over the home folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "h"))
    monkeypatch.delenv("UNDERSTUDY_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == tmp_path / "h" / ".cache" / "understudy"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert cache_folder() == tmp_path / "x" / "understudy"
    monkeypatch.setenv("UNDERSTUDY_CACHE", str(tmp_path / "u"))
    assert cache_folder() == tmp_path / "u"
    assert tmp_path / "u" in Embeddings(tiny).folder.parents


# Damage


def cut_short(path: Path) -> None:
    """Keep half of a file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def one_bit_changed(path: Path) -> None:
    """Change one bit of a vector: the last bytes of a file hold tensors."""
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


def zeroed(path: Path) -> None:
    """Keep the length and lose the content, as a power cut may."""
    path.write_bytes(bytes(path.stat().st_size))


def other_tensors(path: Path) -> None:
    """Put a well-formed file of something else there."""
    from safetensors.numpy import save_file

    save_file({"weights": np.zeros((2, 2), dtype=np.float32)}, path)


def no_seal(path: Path) -> None:
    """Put a well-formed file there whose seal does not fit its vectors."""
    from safetensors.numpy import load_file, save_file

    save_file({**load_file(path), "vectors": np.zeros((1, 16), dtype=np.float32)}, path)


@pytest.mark.parametrize("damage", [cut_short, one_bit_changed, zeroed, other_tensors, no_seal])
def test_a_damaged_segment_is_encoded_again(
    tmp_path: Path, tiny: Encoder, damage: Callable[[Path], None]
) -> None:
    """What a file lost or changed is encoded again and put in its place; nothing wrong is used."""
    before = Embeddings(tiny, folder=tmp_path)
    vector = before.of(["abc"])
    (segment,) = segments(before)
    damage(segment)
    after = Embeddings(tiny, folder=tmp_path)

    np.testing.assert_array_equal(after.of(["abc"]), vector)

    assert after.encoded == 1
    assert Embeddings(tiny, folder=tmp_path).missing(["abc"]) == 0


def test_a_segment_of_another_encoder_is_ignored(tmp_path: Path, tiny: Encoder) -> None:
    """A file copied from the cache of another encoder is not taken for this one's."""
    foreign = Embeddings(tiny_encoder(tmp_path / "other", seed=1), folder=tmp_path)
    foreign.of(["abc"])
    own = Embeddings(tiny, folder=tmp_path)
    own.folder.mkdir()
    shutil.copy(segments(foreign)[0], own.folder)

    own.of(["abc"])

    assert own.encoded == 1


def test_other_files_in_the_cache_are_left_alone(tmp_path: Path, tiny: Encoder) -> None:
    """What a kill left under a temporary name, or a person put there, is neither read nor lost."""
    embeddings = Embeddings(tiny, folder=tmp_path)
    embeddings.folder.mkdir(parents=True)
    half, note = embeddings.folder / ".x.safetensors.1f", embeddings.folder / "note.txt"
    half.write_bytes(b"\x10\x00")
    note.write_text("hands off")

    embeddings.of(["abc"])

    assert (half.read_bytes(), note.read_text()) == (b"\x10\x00", "hands off")


def test_nothing_but_whole_segments_is_left(tmp_path: Path, tiny: Encoder) -> None:
    """After a call no temporary file is there."""
    embeddings = Embeddings(tiny, folder=tmp_path)
    embeddings.of(["abc"])

    assert [path.suffix for path in segments(embeddings)] == [".safetensors"]


# A cache that cannot be written


def refused_cache(encoder: Encoder, folder: Path, pooling: Pooling = "mean") -> str:
    """Return the line with which a cache is refused."""
    with pytest.raises(UserError) as refused:
        Embeddings(encoder, pooling, folder).of(["abc"])
    line = str(refused.value)
    assert "\n" not in line
    return line


def test_a_cache_below_a_file_is_refused(tmp_path: Path, tiny: Encoder) -> None:
    """The line names the folder and the remedy."""
    (tmp_path / "file").touch()

    line = refused_cache(tiny, tmp_path / "file" / "cache")

    assert f"cannot write the embedding cache {tmp_path / 'file' / 'cache'}" in line
    assert "UNDERSTUDY_CACHE" in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_without_permission_is_refused(tmp_path: Path, tiny: Encoder) -> None:
    """A folder that may be read only is refused in the same way."""
    tmp_path.chmod(0o500)

    assert "UNDERSTUDY_CACHE" in refused_cache(tiny, tmp_path)


def test_a_full_disk_is_refused_and_leaves_nothing(
    tmp_path: Path, tiny: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment that does not fit is one line, and neither it nor a part of it stays."""
    import resource

    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # it would be cut, and kept
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, old[1]))
    try:
        line = refused_cache(tiny, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)

    assert "free space there" in line
    assert segments(Embeddings(tiny, folder=tmp_path)) == []


# Several processes

CHILD = """
import os, signal, sys
from pathlib import Path
from trainers.embeddings import Embeddings
from trainers.encoders import load_encoder

encoder, cache, start, stop, kill_after = sys.argv[1:]
segments = 0

def progress(n):
    global segments
    segments += 1
    if segments == int(kill_after):
        os.kill(os.getpid(), signal.SIGKILL)

embeddings = Embeddings(load_encoder(encoder), folder=Path(cache), progress=progress)
vectors = embeddings.of([f"text {i}" for i in range(int(start), int(stop))])
print(embeddings.encoded, vectors.shape)
"""

N_TEXTS = SEGMENT + 300


def child(encoder: Encoder, cache: Path, start: int, stop: int, kill_after: int = 0) -> str:
    """Return the command line of a process that encodes `text START` to `text STOP-1`."""
    arguments = [str(encoder.path), str(cache), str(start), str(stop), str(kill_after)]
    return "\x00".join([sys.executable, "-c", CHILD, *arguments])


@dataclass(frozen=True)
class Story:
    """What happened to one cache: a process killed in the middle, then two at once.

    Attributes:
        cache: The cache.
        killed: Exit code of the first process, killed after its first segment of two.
        lost: Texts that were not in the cache after the kill.
        printed: What the two processes printed, that wanted all texts and the last 500.
    """

    cache: Path
    killed: int
    lost: int
    printed: tuple[list[str], list[str]]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, tiny: Encoder) -> Story:
    """Let three processes work on one cache."""
    cache = tmp_path_factory.mktemp("cache")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    killed = subprocess.run(
        child(tiny, cache, 0, N_TEXTS, kill_after=1).split("\x00"), env=environment, check=False
    )
    lost = Embeddings(tiny, folder=cache).missing([f"text {i}" for i in range(N_TEXTS)])
    both = [
        subprocess.Popen(
            child(tiny, cache, start, N_TEXTS).split("\x00"),
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for start in (0, N_TEXTS - 500)
    ]
    outputs = [process.communicate(timeout=600)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    return Story(cache, killed.returncode, lost, (outputs[0], outputs[1]))


@pytest.mark.slow
def test_a_kill_loses_no_more_than_one_segment(story: Story) -> None:
    """Killed after one of two segments, only the texts of the other have to be encoded again."""
    assert story.killed == -signal.SIGKILL
    assert story.lost == 300


@pytest.mark.slow
def test_a_second_process_encodes_what_the_first_did_not(story: Story) -> None:
    """The next process goes on where the killed one stopped."""
    assert int(story.printed[0][0]) <= 300


@pytest.mark.slow
def test_two_processes_may_share_a_cache_at_once(story: Story, tiny: Encoder) -> None:
    """Two processes at work at the same time leave one whole cache, and have the same vectors."""
    after = Embeddings(tiny, folder=story.cache)
    texts = [f"text {i}" for i in range(N_TEXTS)]

    vectors = after.of(texts)

    assert after.encoded == 0
    np.testing.assert_allclose(vectors[-5:], mean_of_tokens(tiny, texts[-5:]), atol=1e-5)
    assert story.printed[0][1:3] == [f"({N_TEXTS},", "16)"]
    assert story.printed[1][1:3] == ["(500,", "16)"]


@pytest.mark.parametrize("pooling", ["mean", "first"])
def test_texts_that_are_cut_are_counted(tiny: Encoder, tmp_path: Path, pooling: Pooling) -> None:
    """Of 64 positions two are the ends': 62 words are read to the end, of 63 the last is not.

    The vector of the longer text shows it: it is that of its first 62 words.
    """
    embeddings = Embeddings(tiny, pooling, tmp_path)
    fits, longer = " ".join("a" * 62), " ".join("a" * 62 + "b")

    found = embeddings.cut([fits, longer, "a b", longer])

    assert (found.n, found.limit) == (2, 64)
    same, cut, short = embeddings.of([fits, longer, "b"])
    np.testing.assert_allclose(same, cut, atol=1e-6)
    assert not np.allclose(same, short)
