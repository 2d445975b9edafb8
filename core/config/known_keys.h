// The keys of transformers' TrainingArguments (5.17, and those older versions had), PEFT's LoraConfig (0.21) and
// BitsAndBytesConfig that are no fields here: without effect, refused, or another spelling of a field.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "config/field.h"

namespace studio::config {

enum class Disposition {
    NoEffect,     // named in a notice; `reason` says why nothing is lost
    OnlyDefault,  // any value but the default (or `accepted`) would change numbers: refused with `reason`
    Alias,        // the field `reason` under an older name
};

struct KnownKey {
    File file;
    std::string_view key;
    std::string_view fallback;  // the default, as JSON
    Disposition disposition;
    std::string_view reason;
    std::string_view accepted = {};  // one more value that means the same as the default, as JSON
};

std::span<const KnownKey> loraKeys();           // LoraConfig and BitsAndBytesConfig
std::span<const KnownKey> trainingKeys();       // TrainingArguments of 5.17
std::span<const KnownKey> olderTrainingKeys();  // of 4.x, gone since

std::optional<KnownKey> findKnownKey(std::string_view key);

// A key whose values are values of a field: use_cpu: true is device: cpu. An empty field: nothing to set.
struct Translation {
    std::string_view key, value, field, field_value;
};
std::span<const Translation> translations();

// What a key of other programs is called here ("lora_r" -> "r"); empty where nothing is known.
std::string_view otherName(std::string_view key);

// Every key that can stand in a file: fields, known keys, translated ones.
std::vector<std::string_view> allKeys();

}  // namespace studio::config
