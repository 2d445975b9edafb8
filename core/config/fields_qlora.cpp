#include "config/field_table.h"

namespace studio::config {
namespace {

constexpr Choice kQuantTypes[] = {{"nf4", "NormalFloat of the QLoRA paper"}};
constexpr Refusal kQuantTypesRefused[] = {
    {"fp4", "fp4 is not offered: its error is larger than nf4's at the same size (QLoRA paper, table 2)"}};
constexpr Choice kComputeTypes[] = {{"float32", ""}, {"bfloat16", ""}, {"float16", ""}};

}  // namespace

void appendQloraFields(std::vector<Field>& out) {
    using Q = QloraConfig;
    out.push_back(row<&Q::load_in_4bit>(
        "load_in_4bit", Group::Quantisation,
        "Hold the base model's linears in 4 bits (NF4 in blocks of 64). false trains LoRA on the base as it is stored. "
        "A file that does not say it is taken as true; transformers would take it as false."));
    out.push_back(row<&Q::bnb_4bit_quant_type>(
        "bnb_4bit_quant_type", Group::Quantisation,
        "The 4-bit code. A file must name it when load_in_4bit is true, because bitsandbytes' own default is fp4.",
        {.choices = kQuantTypes, .refusals = kQuantTypesRefused}));
    out.push_back(row<&Q::bnb_4bit_use_double_quant>(
        "bnb_4bit_use_double_quant", Group::Quantisation,
        "Quantise the scales of the blocks once more, to 8 bits: saves 0.37 bits a parameter."));
    out.push_back(row<&Q::bnb_4bit_compute_dtype>("bnb_4bit_compute_dtype", Group::Quantisation,
                                                  "Type in which the dequantised linears are multiplied. phi-2 "
                                                  "overflows in float16 outside the attention scores: "
                                                  "prefer bfloat16. On a CPU it is always float32.",
                                                  {.choices = kComputeTypes}));

    out.push_back(row<&Q::r>("r", Group::Lora, "Rank of the adapter: the columns of A and B on each adapted linear.",
                             {.range = {.low = 1, .high = 1024}}));
    out.push_back(row<&Q::lora_alpha>("lora_alpha", Group::Lora,
                                      "Strength of the adapter. Its product is multiplied by lora_alpha / r, or "
                                      "lora_alpha / sqrt(r) with use_rslora.",
                                      {.range = {.low = 0, .high = 65536, .low_open = true}}));
    out.push_back(row<&Q::lora_dropout>(
        "lora_dropout", Group::Lora, "Share of the adapter's inputs set to zero while training.", {.range = kShare}));
    out.push_back(row<&Q::target_modules>(
        "target_modules", Group::Lora,
        "Linears that get an adapter: a list of names or name endings, one text as a regular expression for the whole "
        "name, or \"all-linear\". null is PEFT's choice for phi: q_proj, v_proj, fc1, fc2. A name that matches nothing "
        "is an error."));
    out.push_back(row<&Q::exclude_modules>("exclude_modules", Group::Lora,
                                           "Linears that get none although target_modules names them; same forms."));
    out.push_back(row<&Q::use_rslora>("use_rslora", Group::Lora,
                                      "Rank-stabilised scaling: lora_alpha / sqrt(r) in place of lora_alpha / r."));
    out.push_back(row<&Q::layers_to_transform>("layers_to_transform", Group::Lora,
                                               "Numbers of the layers to adapt, from 0. null: all of them.",
                                               {.range = {.low = 0, .high = 4095}}));
    out.push_back(row<&Q::layers_pattern>(
        "layers_pattern", Group::Lora,
        "Name of the list of layers in the module names (\"layers\" in phi), for layers_to_transform. null: any."));
    out.push_back(row<&Q::rank_pattern>(
        "rank_pattern", Group::Lora,
        "Ranks of their own for some modules: a map of regular expressions (matched at the end of the name) to ranks. "
        "The first that matches counts.",
        {.range = {.low = 1, .high = 1024}}));
    out.push_back(row<&Q::alpha_pattern>("alpha_pattern", Group::Lora, "The same for lora_alpha.",
                                         {.range = {.low = 0, .high = 65536, .low_open = true}}));
}

}  // namespace studio::config
