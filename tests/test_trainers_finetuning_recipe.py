"""Recipes: read strictly, overridden by the command line, and those that ship."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from builders.errors import UserError
from trainers.finetune import main, make_parser, parse
from trainers.finetuning.arguments import training_arguments
from trainers.finetuning.decided import DECIDED
from trainers.finetuning.recipe import SEVERAL
from trainers.finetuning.run_arguments import run_arguments
from trainers.finetuning.settings import FinetuneSettings

RECIPES = Path(__file__).parents[1] / "trainers" / "recipes"
SHIPPED = sorted(RECIPES.glob("*.yaml"))
CONFIGURATIONS = sorted((RECIPES / "accelerate").glob("*.yaml"))


def recipe(folder: Path, **options: object) -> str:
    """Write a recipe; return its path."""
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({"task": "humor", **options}))
    return str(path)


def refusal(*words: str) -> str:
    """Return the one line with which a command line is refused."""
    with pytest.raises(UserError) as refused:
        parse(words)
    line = str(refused.value)
    assert "\n" not in line
    return line


def test_a_recipe_states_options_of_both_kinds(tmp_path: Path) -> None:
    """Ours and those of `TrainingArguments`, lists, truth values, and what YAML takes for text."""
    path = recipe(
        tmp_path,
        train=["synthetic:0.5", "real:9-per-label"],
        learning_rate="5e-5",
        max_steps=-1,
        tf32=False,
        lr_scheduler_kwargs={"num_cycles": 2},
    )
    asked = parse([path])

    assert asked.recipe.train == ["synthetic:0.5", "real:9-per-label"]
    assert asked.arguments["learning_rate"] == 5e-5
    assert asked.arguments["max_steps"] == -1
    assert asked.arguments["tf32"] is False
    assert asked.arguments["lr_scheduler_kwargs"] == '{"num_cycles": 2}'


def test_the_command_line_wins(tmp_path: Path) -> None:
    """Over a number as over a list; with hyphens too."""
    path = recipe(tmp_path, train=["synthetic"], batch_size=8)
    asked = parse([path, "--batch-size", "16", "--train", "real", "--seed=3"])

    assert asked.recipe.batch_size == 16
    assert asked.recipe.train == ["real"]
    assert asked.arguments["seed"] == 3


def test_a_run_without_a_word_is_that_of_a_study() -> None:
    """Learning rate, epochs, batch and warm-up are the settings of `--trainer finetune`."""
    from trainers.finetuning.recipe import settings_of

    asked = parse(["--task=humor"])
    assert settings_of(asked.recipe, dict(asked.arguments)) == FinetuneSettings(precision="auto")


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    """What differs from its default, and what our defaults and the library's differ in."""
    words = ["--task=humor", "--seed=42", "--adam_beta2=0.98", "--train", "real", "synthetic:2"]
    words += ["--fsdp=true", "--debug", "underflow_overflow"]
    asked = parse(words)

    again = parse([recipe(tmp_path, **asked.written)])

    assert (again.recipe, dict(again.arguments)) == (asked.recipe, dict(asked.arguments))


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("lerning_rate=2", "did you mean learning_rate?"),
        ("batchsize=2", "did you mean batch_size?"),
        ("gradient_accumulation_steps=2", "batch_size says how many texts a step takes"),
        ("bf16=true", "say precision: bf16"),
        ("group_by_length=true", "say train_sampling_strategy: group_by_length"),
        ("push_to_hub=true", "understudy push model"),
        ("dataloader_drop_last=true", "every text of an epoch is trained on"),
        ("average_tokens_across_devices=false", "the mean over all its texts"),
        ("save_only_model=true", "cannot be gone on from"),
        ("bf16_full_eval=true", "weights stay in float32"),
        ("fp16_full_eval=true", "weights stay in float32"),
        ("eval_on_start=true", "would evaluate, and count, its last model again"),
        ("eval_delay=3", "could not be the best"),
        ("accelerator_config={}", "batch_size says how many texts a step takes"),
        ("label_names=x", "the labels are the task's"),
        ("enable_jit_checkpoint=true", "stopped half-way would count as finished"),
        ("ignore_data_skip=true", "would train on other texts than an unbroken one"),
        ("hub_model_id=a/b", "understudy push model"),
        ("hub_strategy=end", "understudy push model"),
        ("use_liger_kernel=true", "its kernels are those of models that write"),
        ("quux=2", "unknown option 'quux'"),
    ],
)
def test_a_key_that_is_not_to_be_given_is_refused(tmp_path: Path, option: str, said: str) -> None:
    """With the nearest right one, in a recipe and on the command line."""
    assert said in refusal(recipe(tmp_path, **dict([option.split("=")])))
    assert said in refusal("--task=humor", f"--{option}")


@pytest.mark.parametrize("words", [["=hf_abc"], ["", "hf_abc", "hf_abc"], ["=", "hf_abc"]])
def test_a_token_is_refused_and_not_shown(tmp_path: Path, words: list[str]) -> None:
    """A recipe and a checkpoint's record would hold it; it is not repeated wherever it stands."""
    by_words = refusal("--task=humor", f"--hub_token{words[0]}", *words[1:])
    by_recipe = refusal(recipe(tmp_path, hub_token="hf_abc"))

    for line in (by_words, by_recipe):
        assert "it takes the token from HF_TOKEN" in line
        assert "hf_abc" not in line


def test_no_option_of_the_hub_is_taken() -> None:
    """Nor one that another version of transformers brings."""
    from transformers import TrainingArguments

    names = {name for name in vars(TrainingArguments) if name.startswith(("hub_", "push_to_hub"))}
    assert "hub_token" in names
    assert names <= set(DECIDED)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "task: is missing"),
        (["--task=humor", "--learning_rate=fast"], "learning_rate"),
        (["--task=humor", "--class_weights=some"], "class_weights"),
        (["--task=humor", "--seed=0", "other.yaml"], "name it before the options"),
        (["missing.yaml"], "missing.yaml: cannot be read"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(words: list[str], said: str) -> None:
    """In one line that names the option."""
    assert said in refusal(*words)


def test_a_bare_no_is_what_it_says(tmp_path: Path) -> None:
    """YAML reads it as false; a strategy is meant."""
    path = tmp_path / "recipe.yaml"
    path.write_text("task: humor\nsave_strategy: no\nreport_to: none\n")

    assert parse([str(path)]).arguments["save_strategy"] == "no"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no recipe"),
        ("- task", "is no recipe"),
        ("task: [", "line 1: does not parse at column 8"),
        ("task: !!python/object/apply:os.getcwd []", "could not determine a constructor"),
        ("seed: 1\nepochs: 2\nseed: 3", "line 3: seed: stands twice: the first is on line 1"),
        ("task: a\n---\ntask: b", "keep one recipe a file"),
        ("task: a\ntask: b", "line 2: task: stands twice"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """Nor does reading one run anything."""
    path = tmp_path / "recipe.yaml"
    path.write_text(text)

    assert said in refusal(str(path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("batch_size: [8, 16]", "batch_size: takes one value and has a list of 2"),
        ("output_dir: [a]", "output_dir: takes one value and has a list of 1"),
        ("seed: &a [*a]", "seed: takes one value and has a list of 1"),
        ("learning_rate:", "learning_rate: has no value; give one, or remove the line"),
        ("seed: ~", "seed: has no value"),
        ("lr_scheduler_kwargs: {x: 2020-01-01}", "lr_scheduler_kwargs: Object of type date is not"),
        ("lr_scheduler_kwargs: &a {x: *a}", "lr_scheduler_kwargs: Circular reference detected"),
        ("train: &a [*a]", "train: Circular reference detected"),
        ("run_name: !!set {a}", "run_name: Object of type set is not"),
    ],
)
def test_a_value_that_no_option_takes_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """With file and key; a list never counts as its first, nor an empty line as the default."""
    path = tmp_path / "recipe.yaml"
    path.write_text(f"task: humor\n{text}\n")

    line = refusal(str(path))
    assert line.startswith(f"{path}: {said}")


def test_a_list_is_for_what_takes_several(tmp_path: Path) -> None:
    """These are the options that the parser takes lists for; a list of one is its one."""
    several = {each.dest for each in make_parser()._actions if each.nargs == "+"}
    assert several - set(DECIDED) == set(SEVERAL)

    asked = parse([recipe(tmp_path, report_to=["trackio", "wandb"], train=["real", "synthetic"])])
    assert asked.arguments["report_to"] == ["trackio", "wandb"]
    assert asked.recipe.train == ["real", "synthetic"]
    assert parse([recipe(tmp_path, report_to=["none"])]).arguments["report_to"] == "none"


@pytest.mark.parametrize("given", [True, False])
def test_fsdp_is_a_truth_value(tmp_path: Path, given: bool) -> None:
    """As transformers has it by now, in a recipe and on the command line."""
    assert parse([recipe(tmp_path, fsdp=given)]).arguments["fsdp"] is given
    assert parse(["--task=humor", f"--fsdp={given}"]).arguments["fsdp"] is given
    assert parse(["--task=humor", "--fsdp=full_shard"]).arguments["fsdp"] == "full_shard"


@pytest.mark.parametrize(
    ("words", "strategy", "steps"),
    [
        ([], "epoch", 500),
        (["--eval_strategy=steps", "--eval_steps=3"], "steps", 3),
        (["--eval_strategy=steps", "--save_steps=3"], "steps", 3),
        (["--eval_strategy=steps", "--eval_steps=3", "--save_steps=3"], "steps", 3),
        (["--eval_strategy=steps", "--eval_steps=0.5", "--save_strategy=steps"], "steps", 0.5),
    ],
)
def test_checkpoints_are_where_the_evaluations_are(
    tmp_path: Path, words: list[str], strategy: str, steps: float
) -> None:
    """However that is said."""
    asked = parse(["--task=humor", *words])

    values = run_arguments(asked.arguments, tmp_path, watched=True, stated=asked.stated)

    assert (values["eval_strategy"], values["save_strategy"]) == (strategy, strategy)
    assert (values["eval_steps"], values["save_steps"]) == (steps, steps)


WATCHED = "--validation=0.2"
BY_STEPS = (WATCHED, "--eval_strategy=steps")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([WATCHED, "--save_strategy=steps"], "save_strategy steps: each evaluation makes a"),
        ([WATCHED, "--save_strategy=best"], "save_strategy best: each evaluation makes a"),
        ([WATCHED, "--save_steps=3"], "save_steps 3: say eval_strategy: steps with it"),
        (["--save_steps=3"], "save_steps 3: say save_strategy: steps with it"),
        ([*BY_STEPS, "--eval_steps=3", "--save_steps=4"], "save_steps 4: each evaluation makes a"),
        ([*BY_STEPS, "--eval_steps=3", "--save_steps=500"], "save_steps 500: each evaluation"),
        ([*BY_STEPS, "--eval_steps=0"], "eval_steps 0: give a number of steps"),
        ([*BY_STEPS, "--eval_steps=-2"], "eval_steps -2: give a number of steps"),
        (["--save_strategy=steps", "--save_steps=-4"], "save_steps -4: give a number of steps"),
        (["--logging_steps=0"], "logging_steps 0: give a number of steps"),
        (["--logging_steps=-3"], "logging_steps -3: give a number of steps"),
        (["--loss=label_smoothing", "--label_smoothing_factor=0"], "smooths nothing"),
        (["--max_grad_norm=nan"], "max_grad_norm nan: give at least 0"),
        (["--max_grad_norm=-1"], "max_grad_norm -1.0: give at least 0"),
        (["--neftune_noise_alpha=nan"], "neftune_noise_alpha nan: give a number of at least 0"),
        (["--neftune_noise_alpha=-1"], "neftune_noise_alpha -1: give a number of at least 0"),
        (["--dataloader_prefetch_factor=0"], "dataloader_prefetch_factor 0: give at least 1"),
        (["--report_to", "none", "wandb"], "report_to ['none', 'wandb']: none is not supported"),
        (["--batch_size=0"], "batch_size 0: give at least 1"),
        (["--per_device_train_batch_size=0"], "per_device_train_batch_size 0: give at least 1"),
        (["--per_device_eval_batch_size=0"], "per_device_eval_batch_size 0: give at least 1"),
        (["--eval_accumulation_steps=0"], "eval_accumulation_steps 0: give at least 1"),
        (["--dataloader_num_workers=-1"], "dataloader_num_workers -1: give at least 0"),
        (["--seed=-1"], "seed -1: give at least 0"),
        (["--seed=5000000000"], "seed 5000000000: give less than 4294967296"),
        (["--max_steps=0"], "max_steps 0: give at least 1"),
        (["--save_strategy=best"], "save_strategy best: there is no validation set"),
        (["--validation=0.2", "--save_strategy=no"], "save_strategy no: the best model is one of"),
        (["--validation=0.2", "--eval_steps=2"], "eval_steps 2: say eval_strategy: steps with it"),
        (["--patience=2"], "patience 2: needs a validation set"),
        (["--eval_strategy=epoch"], "there is no validation set"),
        (["--train_sampling_strategy=batch_rebalance"], "use random, group_by_length or"),
        (["--loss=mystery"], "--loss mystery: unknown loss"),
        (["--report_to=nowhere"], "report_to"),
        (["--validation=2"], "--validation 2"),
        (["--output_dir="], "output_dir: is missing"),
        (["--dataloader_persistent_workers=true"], "dataloader_persistent_workers: there is no"),
        (["--dataloader_multiprocessing_context=fork"], "there is no worker"),
        (["--fsdp=true"], "fsdp: there is one process"),
        (["--activation_checkpointing_kwargs={}"], "say activation_checkpointing: true with it"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """In one line and exit code 2; nothing is written."""
    out = f"--output_dir={tmp_path / 'out'}"
    assert main(["--task=humor", "--corpus=nowhere", out, *words]) == 2

    printed = capsys.readouterr().err
    assert said in printed
    assert printed.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"a": 1}, "Unexpected keyword arguments: a"),
        ({"context_fn": 3}, "only supported when use_reentrant=False"),
        ({"every_n_layers": 0}, "every_n_layers 0: give a whole number of at least 1"),
        ("twice", "twice: is no mapping"),
    ],
)
def test_what_checkpointing_does_not_take_is_tried_first(
    tmp_path: Path, given: object, said: str
) -> None:
    """Before a model is loaded, and not in its first step."""
    values = {"output_dir": str(tmp_path), "activation_checkpointing": True}
    with pytest.raises(UserError, match=f"^activation_checkpointing_kwargs:? .*{said}"):
        training_arguments(FinetuneSettings(), {**values, "activation_checkpointing_kwargs": given})

    right = {"every_n_layers": 2, "use_reentrant": False}
    training_arguments(FinetuneSettings(), {**values, "activation_checkpointing_kwargs": right})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"torch_compile_mode": "nope"}, "the mode nope: Unrecognized mode=nope"),
        ({"torch_compile_backend": "nope"}, "the backend nope: Invalid backend"),
    ],
)
def test_what_does_not_compile_is_tried_first(
    tmp_path: Path, given: dict[str, str], said: str
) -> None:
    """Names of a backend and of a mode are looked up before a model is loaded."""
    with pytest.raises(UserError, match=f"^torch_compile with .*{said}"):
        training_arguments(FinetuneSettings(), {"output_dir": str(tmp_path), **given})


@pytest.mark.parametrize("package", ["wandb", "trackio", "tensorboard"])
def test_a_report_to_what_is_not_installed_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], package: str
) -> None:
    """It names the package; with it installed there is nothing to refuse."""
    import importlib.util

    if importlib.util.find_spec(package) is not None:
        pytest.skip(f"{package} is installed")
    out = f"--output_dir={tmp_path / 'out'}"
    assert main(["--task=humor", "--corpus=nowhere", out, f"--report_to={package}"]) == 2
    assert f"{package} to be installed" in capsys.readouterr().err


# What ships


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_read(path: Path) -> None:
    """It leaves open the task, the texts and the folder alone."""
    asked = parse([str(path), "--task=humor"])

    assert asked.recipe.corpus is None
    assert asked.arguments["output_dir"] is None
    content = path.read_text()
    assert "-m trainers.finetune trainers/recipes/" in content


def test_the_papers_recipe_is_the_papers() -> None:
    """Learning rate 5e-5 and batches of 64."""
    asked = parse([str(RECIPES / "paper.yaml"), "--task=humor"])

    assert asked.arguments["learning_rate"] == 5e-5
    assert asked.recipe.batch_size == 64


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_a_shipped_configuration_is_accelerates(path: Path) -> None:
    """Its own loader takes it, and knows every key."""
    from accelerate.commands.config.config_args import load_config_from_file

    loaded = load_config_from_file(str(path))
    assert loaded.num_processes > 1
    assert loaded.distributed_type.value in ("MULTI_GPU", "FSDP")


def test_the_fsdp_plugin_takes_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the launcher hands it over: version 2, and whole weights in checkpoints."""
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.utils import FullyShardedDataParallelPlugin

    loaded = load_config_from_file(str(RECIPES / "accelerate" / "fsdp.yaml"))
    for name, value in loaded.fsdp_config.items():
        monkeypatch.setenv(
            name.upper(), str(value).lower() if isinstance(value, bool) else str(value)
        )
    plugin = FullyShardedDataParallelPlugin()

    assert plugin.fsdp_version == 2
    assert "FULL_STATE_DICT" in str(plugin.state_dict_type)
    assert plugin.reshard_after_forward is True


def test_the_help_names_every_option() -> None:
    """And where a recipe goes; it is printed by a fresh process."""
    done = subprocess.run(
        [sys.executable, "-m", "trainers.finetune", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for word in ("recipe", "--corpus", "--precision", "--learning_rate", "--fsdp"):
        assert word in done.stdout
