"""Names of options that a user may know from elsewhere: another spelling, or not to be given."""

AS_RECORDED = {
    "epochs": "num_train_epochs",
    "warmup": "warmup_steps",
    "order": "train_sampling_strategy",
}
"""Names that records of runs have -> how options and recipes spell them; a recipe takes both."""

_PUSHED = "understudy push model OUTPUT_DIR OWNER/NAME does it, with a card and a version"

DECIDED: dict[str, str] = {
    "gradient_accumulation_steps": "batch_size says how many texts a step takes, and passes of at "
    "most per_device_train_batch_size are worked out from it",
    "bf16": "say precision: bf16",
    "fp16": "say precision: bf16, or auto",
    "bf16_full_eval": "weights stay in float32, and so does the model that is kept",
    "fp16_full_eval": "weights stay in float32, and so does the model that is kept",
    "enable_jit_checkpoint": "a run that was stopped half-way would count as finished; the same "
    "command goes on from its last checkpoint by itself",
    "ignore_data_skip": "a run that goes on would train on other texts than an unbroken one",
    "use_liger_kernel": "its kernels are those of models that write, and no encoder has them",
    "liger_kernel_config": "its kernels are those of models that write, and no encoder has them",
    "eval_on_start": "a run that goes on would evaluate, and count, its last model again",
    "eval_delay": "a checkpoint that was not evaluated could not be the best",
    "accelerator_config": "batch_size says how many texts a step takes, whoever shares them",
    "label_names": "the labels are the task's",
    "load_best_model_at_end": "validation says what to choose the best model on",
    "resume_from_checkpoint": "the same command goes on from its last checkpoint by itself",
    "push_to_hub": _PUSHED,
    "hub_token": f"{_PUSHED}; it takes the token from HF_TOKEN",
    "hub_model_id": _PUSHED,
    "hub_revision": _PUSHED,
    "hub_strategy": _PUSHED,
    "hub_private_repo": _PUSHED,
    "hub_always_push": _PUSHED,
    "auto_find_batch_size": "per_device_train_batch_size says how many texts one pass takes",
    "group_by_length": "say train_sampling_strategy: group_by_length",
    "metric_for_best_model": "the best model is the one of the highest macro-F1",
    "greater_is_better": "the best model is the one of the highest macro-F1",
    "remove_unused_columns": "the rows hold what a step needs",
    "train_batch_size": "say batch_size",
    "max_seq_length": "say max_length",
    "dataloader_drop_last": "every text of an epoch is trained on",
    "average_tokens_across_devices": "the loss of a step is the mean over all its texts",
    "data_seed": "seed draws the order of the texts too",
    "prediction_loss_only": "macro-F1 needs the predictions",
    "batch_eval_metrics": "macro-F1 is of all texts, not of a batch",
    "eval_do_concat_batches": "macro-F1 is of all texts, not of a batch",
    "save_only_model": "a checkpoint without the state of the optimiser cannot be gone on from",
}
"""Keys that a user may know, and what to say instead."""
