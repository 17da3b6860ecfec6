"""FSDP: weights spread over two processes train what one process trains.

Accelerate spreads weights over GPUs alone; torch does it on CPUs too. So each process tells
Accelerate that its CPU is a GPU, and all else is what it is: the shipped configuration, FSDP 2,
gloo between two processes.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tiny_encoder import save_tiny_encoder
from training_world import World, make_world, metrics, same_weights, weights

from trainers.finetune import main
from trainers.run_folder import read_run

CONFIGURATION = Path(__file__).parents[1] / "trainers" / "recipes" / "accelerate" / "fsdp.yaml"
OPTIONS: dict[str, object] = {"validation": 0.25, "curve_steps": 8}

SPREAD = """
import json, os, signal, sys
from pathlib import Path

from accelerate import Accelerator, state

begin = state.AcceleratorState.__init__

def begin_as_on_gpus(self, *given, **named):
    state.PartialState(cpu=True)
    if not state.AcceleratorState._shared_state:
        shared = state.PartialState._shared_state
        shared["distributed_type"] = state.DistributedType.MULTI_GPU
    begin(self, *given, **named)

state.AcceleratorState.__init__ = begin_as_on_gpus

from torch.distributed.tensor import DTensor
from trainers.finetune import main
from trainers.finetuning.processes import end
from trainers.finetuning.weighted_trainer import WeightedTrainer

report, killed_at, *words = sys.argv[1:]
step, prepare = WeightedTrainer.training_step, Accelerator.prepare

def step_or_end(self, *given, **named):
    if os.environ["RANK"] == "1" and self.state.global_step == int(killed_at):
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, *given, **named)

def prepare_and_tell(self, *given, **named):
    prepared = prepare(self, *given, **named)
    model = prepared[0] if isinstance(prepared, (tuple, list)) else prepared
    if not hasattr(model, "parameters"):
        return prepared
    held = list(model.parameters())
    told = {
        "kind": self.distributed_type.value,
        "spread": all(isinstance(each, DTensor) for each in held),
        "here": sum(each.to_local().numel() for each in held),
        "in_all": sum(each.numel() for each in held),
    }
    Path(report, os.environ["RANK"] + ".json").write_text(json.dumps(told))
    return prepared

WeightedTrainer.training_step, Accelerator.prepare = step_or_end, prepare_and_tell
end(main(words))
"""
"""Runs the entry; each process notes what it holds, and the second may be killed at a step."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make a world."""
    return make_world(tmp_path_factory.mktemp("world"))


def spread(
    words: list[str], folder: Path, killed_at: int = -1, **changed: str
) -> subprocess.CompletedProcess[str]:
    """Run the entry in two processes that share the weights, as the configuration has it."""
    folder.mkdir(exist_ok=True)
    script = folder / "spread.py"
    script.write_text(SPREAD)
    given = yaml.safe_load(CONFIGURATION.read_text())["fsdp_config"]
    options = {name.upper(): str(value).lower() for name, value in given.items()}
    for name in ("FSDP_AUTO_WRAP_POLICY", "FSDP_STATE_DICT_TYPE"):
        options[name] = options[name].upper()
    env = {
        **os.environ,
        **options,
        **changed,
        "ACCELERATE_USE_FSDP": "true",
        "ACCELERATE_USE_CPU": "true",
    }
    torchrun = [str(Path(sys.executable).parent / "torchrun"), "--nproc_per_node", "2"]
    command = [*torchrun, "--standalone", str(script), str(folder), str(killed_at), *words]
    env["OMP_NUM_THREADS"] = "1"
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bert", "modernbert"])
def test_spread_weights_are_trained_as_whole_ones(world: World, tmp_path: Path, kind: str) -> None:
    """Each process holds half of every weight; model and scores are those of one process."""
    encoder = save_tiny_encoder(tmp_path / "encoder", kind)
    one, two = tmp_path / "one", tmp_path / "two"
    assert main(world.options(one, **OPTIONS, encoder=encoder)) == 0

    done = spread(world.options(two, **OPTIONS, encoder=encoder, processes=2), tmp_path / "told")

    assert done.returncode == 0, done.stderr
    told = [json.loads((tmp_path / "told" / f"{rank}.json").read_text()) for rank in (0, 1)]
    assert [(each["kind"], each["spread"]) for each in told] == [("FSDP", True)] * 2
    assert sum(each["here"] for each in told) == told[0]["in_all"]
    assert max(each["here"] for each in told) < 0.6 * told[0]["in_all"]
    assert read_run(two).settings["processes"] == 2
    first, second = weights(one), weights(two)
    assert first.keys() == second.keys()
    for name, values in first.items():
        # The biases of keys change no output: rounding is all that moves them.
        if not name.endswith("key.bias"):
            assert abs(values - second[name]).max() < 1e-5, name
    assert metrics(two)["tests"] == metrics(one)["tests"]
    assert metrics(two)["curve"] == metrics(one)["curve"]


@pytest.mark.slow
def test_spread_weights_go_on_after_a_kill(world: World, tmp_path: Path) -> None:
    """The second process is killed after 13 steps; both go on from 10, to the same weights."""
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    told = tmp_path / "told"
    assert spread(world.options(whole, **OPTIONS, processes=2), told).returncode == 0
    words = world.options(broken, **OPTIONS, processes=2)
    assert spread(words, told, killed_at=13).returncode != 0
    assert not (broken / "run.json").exists()

    done = spread(words, told)

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("goes on from step 10") == 1
    assert same_weights(whole, broken)
    assert metrics(whole) == metrics(broken)


@pytest.mark.slow
def test_a_best_model_is_not_kept_in_parts(world: World, tmp_path: Path) -> None:
    """What each process writes for itself cannot be read back as one model: said before a step."""
    words = world.options(tmp_path / "out", validation=0.25, processes=2)

    done = spread(words, tmp_path / "told", FSDP_STATE_DICT_TYPE="SHARDED_STATE_DICT")

    assert done.returncode != 0
    assert done.stderr.count("trainers.finetune: fsdp_state_dict_type SHARDED_STATE_DICT: ") == 1
    assert not (tmp_path / "out" / "run.json").exists()
