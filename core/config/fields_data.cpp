#include "config/field_table.h"
#include "machine/device.h"

namespace studio::config {
namespace {

constexpr Choice kPaths[] = {
    {"best", "one conversation a tree: the best-ranked reply at each level"},
    {"leaves", "every way from the root to a leaf"},
    {"replies", "one conversation for each assistant message, only that message supervised"},
    {"tree", "the whole tree as one example, each assistant message computed and supervised once"}};
constexpr Choice kTemplates[] = {{"openassistant", "<|prompter|>text<|endoftext|><|assistant|>text<|endoftext|>"},
                                 {"human-assistant", "### Human: text### Assistant: text"},
                                 {"instruct-output", "Instruct: text, Output: text, as in phi-2's card"},
                                 {"alpaca", "### Instruction: text, ### Response: text"}};
constexpr Choice kTrainOn[] = {{"assistant", "text and end of assistant messages"},
                               {"all", "every token but the first"}};
constexpr Choice kDevices[] = {{"auto", "the first GPU where there is one"}, {"cpu", ""}, {"cuda", "the first GPU"}};

Result<void> isDevice(std::string_view text) {
    STUDIO_CHECK(machine::parseDevice(text));
    return {};
}

}  // namespace

void appendDataFields(std::vector<Field>& out) {
    using T = TrainingConfig;
    out.push_back(row<&T::model_name_or_path>(
        "model_name_or_path", Group::Data,
        "The base model: a Hugging Face folder with config.json, safetensors and tokenizer files, or the name of a "
        "downloaded one such as microsoft/phi-2."));
    out.push_back(row<&T::data_path>(
        "data_path", Group::Data,
        "What to train on: OASST or chat files (.jsonl, .jsonl.gz), a folder written by `prepare`, or a project. One "
        "path, or a list of them. A relative path starts at the current directory, else at this file's folder and "
        "those "
        "above it."));
    out.push_back(row<&T::view>("view", Group::Data, "Name of a selection saved in the project that data_path names."));
    out.push_back(row<&T::filter>(
        "filter", Group::Data,
        "Which messages are trained on, as an expression of the filter language (docs/filter.md). Deleted messages and "
        "orphans are left out unless it speaks of them. A message left out takes the replies below it along."));
    out.push_back(row<&T::paths>("paths", Group::Data, "How conversation trees become examples.", {.choices = kPaths}));
    out.push_back(row<&T::template_name>("template", Group::Data, "How turns are written for the model.",
                                         {.choices = kTemplates}));
    out.push_back(row<&T::train_on>("train_on", Group::Data, "Which tokens the loss counts.", {.choices = kTrainOn}));
    out.push_back(
        row<&T::max_seq_length>("max_seq_length", Group::Data,
                                "Longest path in tokens; what is longer is cut at its end. null: the model's context.",
                                {.range = {.low = 8, .high = 131072}, .unit = "tokens"}));
    out.push_back(row<&T::packing>(
        "packing", Group::Data,
        "Fill micro-batches of per_device_train_batch_size × max_seq_length rows with whole conversations, which never "
        "see each other. Without it a micro-batch is per_device_train_batch_size conversations. Nothing is padded "
        "either way."));
    out.push_back(row<&T::shuffle>("shuffle", Group::Data,
                                   "A new order of the examples in each epoch; false keeps the file's order."));
    out.push_back(row<&T::group_by_length>(
        "group_by_length", Group::Data,
        "Read for the sake of files that have it, without effect: it would sort examples of like length together to "
        "save padding, there is no padding here, and its order makes the loss a saw. Batches keep the shuffled "
        "order."));
    out.push_back(row<&T::validation_fraction>(
        "validation_fraction", Group::Data,
        "Share of the conversation trees held out to measure the loss on; whole trees, chosen by data_seed.",
        {.range = kShare}));

    out.push_back(row<&T::output_dir>("output_dir", Group::Run,
                                      "Folder of the run: its record, metrics, samples and checkpoints.",
                                      {.null_is_default = true}));
    out.push_back(row<&T::run_name>("run_name", Group::Run, "Name of the run for people. null: the folder's name."));
    out.push_back(row<&T::seed>("seed", Group::Run, "Of the adapter's first values and of dropout.",
                                {.range = {.low = 0, .high = 4294967295.0}}));
    out.push_back(row<&T::data_seed>("data_seed", Group::Run,
                                     "Of the held-out split and the order of examples. null: seed.",
                                     {.range = {.low = 0, .high = 4294967295.0}}));
    out.push_back(
        row<&T::device>("device", Group::Run,
                        "Where to compute: on the GPU where there is one, or on the CPU. Of several GPUs one is "
                        "named by its number, as in cuda:1, or for good by its UUID, as in cuda:GPU-3f2a81bc-….",
                        {.choices = kDevices, .accepts = isDevice}));
    out.push_back(row<&T::threads>("threads", Group::Run, "Compute threads on the CPU. 0: one a core.",
                                   {.range = {.low = 0, .high = 1024}}));
    out.push_back(row<&T::full_determinism>(
        "full_determinism", Group::Run,
        "The same bytes from the same recipe on the same machine, at some cost in "
        "speed on a GPU. Without it a GPU adds in no fixed order, and a run that "
        "is repeated or resumed differs, at first in the last bits. A CPU always gives the same bytes."));
}

}  // namespace studio::config
