#include "corpus/known_names.h"

#include <algorithm>

namespace studio::corpus {
namespace {

struct RoleEntry {
    Role role;
    std::string_view name;
};
constexpr RoleEntry kRoles[] = {{Role::Prompter, "prompter"}, {Role::Assistant, "assistant"}, {Role::System, "system"}};

}  // namespace

std::optional<std::size_t> knownLabel(std::string_view name) {
    const auto* found = std::find(kLabels.begin(), kLabels.end(), name);
    if (found == kLabels.end()) return std::nullopt;
    return static_cast<std::size_t>(found - kLabels.begin());
}

std::int64_t roleNumber(Role role) {
    for (std::size_t i = 0; i < std::size(kRoles); ++i)
        if (kRoles[i].role == role) return static_cast<std::int64_t>(i);
    return 0;
}

Role roleOfNumber(std::int64_t number) {
    return number >= 0 && number < std::ssize(kRoles) ? kRoles[number].role : Role::Prompter;
}

std::string_view roleName(Role role) {
    return kRoles[roleNumber(role)].name;
}

std::optional<Role> roleOfName(std::string_view name) {
    for (const RoleEntry& entry : kRoles)
        if (entry.name == name) return entry.role;
    return std::nullopt;
}

}  // namespace studio::corpus
