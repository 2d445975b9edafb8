#include "config/known_keys.h"

namespace studio::config {
namespace {

constexpr auto NoEffect = Disposition::NoEffect;
constexpr auto OnlyDefault = Disposition::OnlyDefault;
constexpr File kFile = File::Training;

constexpr std::string_view kReports = "Metrics go to metrics.jsonl and TensorBoard files in the run's folder.";
constexpr std::string_view kEveryStep = "Every step is logged.";
constexpr std::string_view kHub = "Nothing is uploaded: nothing leaves the machine.";
constexpr std::string_view kOneDevice = "A run computes on one device, in one process.";
constexpr std::string_view kLoader = "Batches are prepared ahead by the program itself.";
constexpr std::string_view kEvaluation = "Evaluation measures the loss, batch by batch.";
constexpr std::string_view kSpeed = "It chooses kernels for speed; results agree but for rounding.";
constexpr std::string_view kBest =
    "The run records its best checkpoint; name that folder in evaluate or chat to use it.";
constexpr std::string_view kCommand = "The command says it.";

constexpr KnownKey kKeys[] = {
    {kFile, "optim_args", "null", OnlyDefault, "Options of other optimizers are not offered"},
    {kFile, "optim_target_modules", "null", OnlyDefault, "It belongs to optimizers that are not offered"},
    {kFile, "average_tokens_across_devices", "true", NoEffect, kOneDevice},
    {kFile, "label_smoothing_factor", "0.0", OnlyDefault, "Label smoothing is not offered"},
    {kFile, "bf16_full_eval", "false", OnlyDefault, "Evaluation computes as training does"},
    {kFile, "fp16_full_eval", "false", OnlyDefault, "Evaluation computes as training does"},
    {kFile, "tf32", "null", NoEffect, kSpeed},
    {kFile, "gradient_checkpointing_kwargs", "null", NoEffect,
     "There is one way of checkpointing, which changes no number."},
    {kFile, "torch_compile", "false", NoEffect, kSpeed},
    {kFile, "torch_compile_backend", "null", NoEffect, kSpeed},
    {kFile, "torch_compile_mode", "null", NoEffect, kSpeed},
    {kFile, "use_liger_kernel", "false", NoEffect, kSpeed},
    {kFile, "liger_kernel_config", "null", NoEffect, kSpeed},
    {kFile, "use_cache", "false", NoEffect, "Training needs no cache of keys and values."},
    {kFile, "neftune_noise_alpha", "null", OnlyDefault, "Noise on the embeddings (NEFTune) is not offered"},
    {kFile, "torch_empty_cache_steps", "null", NoEffect, "Memory is laid out before the first step."},
    {kFile, "auto_find_batch_size", "false", NoEffect, "The memory a step needs is computed before the run starts."},
    {kFile, "logging_strategy", R"("steps")", NoEffect, kEveryStep},
    {kFile, "logging_first_step", "false", NoEffect, kEveryStep},
    {kFile, "log_on_each_node", "true", NoEffect, kOneDevice},
    {kFile, "logging_nan_inf_filter", "true", NoEffect, "A loss that is not finite is logged as it is."},
    {kFile, "include_num_input_tokens_seen", R"("no")", NoEffect, "Tokens are always counted."},
    {kFile, "log_level", R"("passive")", NoEffect, "The log has one level."},
    {kFile, "log_level_replica", R"("warning")", NoEffect, kOneDevice},
    {kFile, "disable_tqdm", "null", NoEffect, "Progress goes to stderr."},
    {kFile, "report_to", R"("none")", NoEffect, kReports},
    {kFile, "project", R"("huggingface")", NoEffect, kReports},
    {kFile, "trackio_space_id", "null", NoEffect, kReports},
    {kFile, "trackio_bucket_id", "null", NoEffect, kReports},
    {kFile, "trackio_static_space_id", "null", NoEffect, kReports},
    {kFile, "eval_delay", "0", NoEffect, "Evaluation starts with the first interval; it changes no weight."},
    {kFile, "prediction_loss_only", "false", NoEffect, kEvaluation},
    {kFile, "eval_do_concat_batches", "true", NoEffect, kEvaluation},
    {kFile, "eval_use_gather_object", "false", NoEffect, kEvaluation},
    {kFile, "eval_accumulation_steps", "null", NoEffect, kEvaluation},
    {kFile, "include_for_metrics", "[]", NoEffect, kEvaluation},
    {kFile, "batch_eval_metrics", "false", NoEffect, kEvaluation},
    {kFile, "save_only_model", "false", NoEffect, "Every checkpoint can be resumed from."},
    {kFile, "save_on_each_node", "false", NoEffect, kOneDevice},
    {kFile, "enable_jit_checkpoint", "false", NoEffect, "A checkpoint is saved when the program is asked to end."},
    {kFile, "push_to_hub", "false", NoEffect, kHub},
    {kFile, "hub_token", "null", NoEffect, kHub},
    {kFile, "hub_private_repo", "null", NoEffect, kHub},
    {kFile, "hub_model_id", "null", NoEffect, kHub},
    {kFile, "hub_strategy", R"("every_save")", NoEffect, kHub},
    {kFile, "hub_always_push", "false", NoEffect, kHub},
    {kFile, "hub_revision", "null", NoEffect, kHub},
    {kFile, "load_best_model_at_end", "false", NoEffect, kBest},
    {kFile, "metric_for_best_model", "null", NoEffect, kBest},
    {kFile, "greater_is_better", "null", NoEffect, kBest},
    {kFile, "ignore_data_skip", "false", NoEffect, "A resumed run reads the batches it would have read."},
    {kFile, "restore_callback_states_from_checkpoint", "false", NoEffect, "There are no callbacks."},
    {kFile, "accelerator_config", "null", NoEffect, kOneDevice},
    {kFile, "parallelism_config", "null", NoEffect, kOneDevice},
    {kFile, "dataloader_drop_last", "false", OnlyDefault, "The last smaller step of an epoch is always kept"},
    {kFile, "dataloader_num_workers", "0", NoEffect, kLoader},
    {kFile, "dataloader_pin_memory", "true", NoEffect, kLoader},
    {kFile, "dataloader_persistent_workers", "false", NoEffect, kLoader},
    {kFile, "dataloader_prefetch_factor", "null", NoEffect, kLoader},
    {kFile, "dataloader_multiprocessing_context", "null", NoEffect, kLoader},
    {kFile, "dataloader_in_order", "true", NoEffect, kLoader},
    {kFile, "remove_unused_columns", "true", NoEffect, kLoader},
    {kFile, "label_names", "null", NoEffect, kLoader},
    {kFile, "length_column_name", R"("length")", NoEffect, kLoader},
    {kFile, "ddp_find_unused_parameters", "null", NoEffect, kOneDevice},
    {kFile, "ddp_bucket_cap_mb", "null", NoEffect, kOneDevice},
    {kFile, "ddp_broadcast_buffers", "null", NoEffect, kOneDevice},
    {kFile, "ddp_static_graph", "null", NoEffect, kOneDevice},
    {kFile, "ddp_backend", "null", NoEffect, kOneDevice},
    {kFile, "ddp_timeout", "1800", NoEffect, kOneDevice},
    {kFile, "fsdp", "null", NoEffect, kOneDevice},
    {kFile, "fsdp_config", "null", NoEffect, kOneDevice},
    {kFile, "deepspeed", "null", NoEffect, kOneDevice},
    {kFile, "debug", R"("")", NoEffect, "There are no debug hooks."},
    {kFile, "skip_memory_metrics", "true", NoEffect, "Memory is always measured."},
    {kFile, "do_train", "false", NoEffect, kCommand},
    {kFile, "do_eval", "false", NoEffect, "eval_strategy says it."},
    {kFile, "do_predict", "false", NoEffect, kCommand},
    {kFile, "resume_from_checkpoint", "null", NoEffect, "Resume with `train --resume_from_checkpoint`."},
    {kFile, "local_rank", "-1", NoEffect, kOneDevice},
};

constexpr std::string_view kTpu = "It is for a device that is not used.";
constexpr std::string_view kOneBackend = "bf16 and fp16 say the type; there is one way to compute in it.";

// transformers 4.31 to 4.57
constexpr KnownKey kOlder[] = {
    {kFile, "evaluation_strategy", "null", Disposition::Alias, "eval_strategy"},
    {kFile, "per_gpu_train_batch_size", "null", Disposition::Alias, "per_device_train_batch_size"},
    {kFile, "per_gpu_eval_batch_size", "null", Disposition::Alias, "per_device_eval_batch_size"},
    {kFile, "overwrite_output_dir", "false", NoEffect, "An earlier run is never overwritten."},
    {kFile, "logging_dir", "null", NoEffect, "TensorBoard files are in the run's folder."},
    {kFile, "save_safetensors", "true", NoEffect, "Weights are always saved as safetensors."},
    {kFile, "use_mps_device", "false", NoEffect, kTpu},
    {kFile, "jit_mode_eval", "false", NoEffect, kSpeed},
    {kFile, "use_ipex", "false", NoEffect, kSpeed},
    {kFile, "fp16_opt_level", R"("O1")", NoEffect, kOneBackend},
    {kFile, "half_precision_backend", R"("auto")", NoEffect, kOneBackend},
    {kFile, "fp16_backend", R"("auto")", NoEffect, kOneBackend},
    {kFile, "xpu_backend", "null", NoEffect, kTpu},
    {kFile, "tpu_num_cores", "null", NoEffect, kTpu},
    {kFile, "tpu_metrics_debug", "false", NoEffect, kTpu},
    {kFile, "past_index", "-1", OnlyDefault, "Memories of earlier batches are not offered"},
    {kFile, "sharded_ddp", R"("")", NoEffect, kOneDevice},
    {kFile, "fsdp_min_num_params", "0", NoEffect, kOneDevice},
    {kFile, "fsdp_transformer_layer_cls_to_wrap", "null", NoEffect, kOneDevice},
    {kFile, "adafactor", "false", OnlyDefault, "Only AdamW is offered"},
    {kFile, "use_legacy_prediction_loop", "false", NoEffect, kEvaluation},
    {kFile, "include_inputs_for_metrics", "false", NoEffect, kEvaluation},
    {kFile, "include_tokens_per_second", "false", NoEffect, "Tokens a second are always measured."},
    {kFile, "push_to_hub_model_id", "null", NoEffect, kHub},
    {kFile, "push_to_hub_organization", "null", NoEffect, kHub},
    {kFile, "push_to_hub_token", "null", NoEffect, kHub},
    {kFile, "_n_gpu", "-1", NoEffect, kOneDevice},
    {kFile, "mp_parameters", R"("")", NoEffect, kOneDevice},
    {kFile, "torchdynamo", "null", NoEffect, kSpeed},
    {kFile, "ray_scope", R"("last")", NoEffect, "There is no search over hyper-parameters."},
    {kFile, "dispatch_batches", "null", NoEffect, kOneDevice},
    {kFile, "split_batches", "null", NoEffect, kOneDevice},
};

}  // namespace

std::span<const KnownKey> trainingKeys() {
    return kKeys;
}
std::span<const KnownKey> olderTrainingKeys() {
    return kOlder;
}

}  // namespace studio::config
