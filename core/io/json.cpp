#include "io/json.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <unordered_set>
#include <vector>

#include "io/file.h"
#include "io/json_sax.h"

namespace studio::io {
namespace {

// Builds the value itself: nlohmann's own builder neither refuses duplicate keys nor bounds the depth, and its ordered
// map looks every new key up by a linear search.
class Builder final : public nlohmann::json_sax<Json> {
  public:
    Builder(const SaxInput& input, int max_depth) : input_(input), max_depth_(max_depth) {}

    bool null() override { return add(nullptr); }
    bool boolean(bool value) override { return add(value); }
    bool number_integer(number_integer_t value) override { return add(value); }
    bool number_unsigned(number_unsigned_t value) override { return add(value); }
    bool number_float(number_float_t value, const string_t&) override { return add(value); }
    bool string(string_t& value) override { return add(std::move(value)); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return open(Json::object()); }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_array() override { return close(); }
    bool key(string_t& value) override {
        if (!keys_.back().insert(value).second)
            return refuse(input_.startOfString(), fmt::format("the key \"{}\" occurs twice", value));
        key_ = std::move(value);
        return true;
    }
    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
        return refuse(position ? position - 1 : 0, plainReason(error.what()));
    }

    Json take() { return std::move(root_); }
    const std::string& reason() const { return reason_; }
    std::size_t position() const { return position_; }

  private:
    Json& place(Json value) {
        if (open_.empty()) return root_ = std::move(value);
        Json& parent = *open_.back();
        if (parent.is_array()) return parent.get_ref<Json::array_t&>().emplace_back(std::move(value));
        auto& object = static_cast<Json::object_t::Container&>(parent.get_ref<Json::object_t&>());
        return object.emplace_back(std::move(key_), std::move(value)).second;
    }
    bool add(Json value) {
        place(std::move(value));
        return true;
    }
    bool open(Json value) {
        if (static_cast<int>(open_.size()) >= max_depth_)
            return refuse(input_.position() - 1, fmt::format("it is nested more than {} levels deep", max_depth_));
        open_.push_back(&place(std::move(value)));
        keys_.emplace_back();
        return true;
    }
    bool close() {
        open_.pop_back();
        keys_.pop_back();
        return true;
    }
    bool refuse(std::size_t position, std::string reason) {
        position_ = position;
        reason_ = std::move(reason);
        return false;
    }

    const SaxInput& input_;
    const int max_depth_;
    Json root_;
    std::vector<Json*> open_;  // stable: a parent's vector does not grow while its last child is open
    std::vector<std::unordered_set<std::string>> keys_;
    std::string key_, reason_;
    std::size_t position_ = 0;
};

void writeNumber(double value, std::string& out) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    char text[40];
    const auto result = std::to_chars(text, text + sizeof text, value, std::chars_format::general, 9);
    const std::string_view number(text, static_cast<std::size_t>(result.ptr - text));
    out += number;
    if (number.find_first_of(".e") == number.npos) out += ".0";  // stays a float for whoever reads it
}

void write(const Json& value, int indent, int level, std::string& out) {
    const auto newline = [&](int depth) {
        if (indent < 0) return;
        out += '\n';
        out.append(static_cast<std::size_t>(indent * depth), ' ');
    };
    if (value.is_number_float()) {
        writeNumber(value.get<double>(), out);
    } else if (value.is_structured() && !value.empty()) {
        const bool object = value.is_object();
        out += object ? '{' : '[';
        bool first = true;
        for (auto it = value.begin(); it != value.end(); ++it) {
            if (!first) out += indent < 0 ? ", " : ",";
            first = false;
            newline(level + 1);
            if (object) out += Json(it.key()).dump(-1, ' ', false, Json::error_handler_t::replace) + ": ";
            write(*it, indent, level + 1, out);
        }
        newline(level);
        out += object ? '}' : ']';
    } else {
        out += value.dump(-1, ' ', false, Json::error_handler_t::replace);
    }
}

}  // namespace

Result<Json> parseJson(std::string_view text, std::string_view name, JsonLimits limits) {
    if (text.size() > limits.max_bytes) {
        return fail(ErrorCode::OutOfRange,
                    fmt::format("{} has {} bytes; at most {} are read.", name, text.size(), limits.max_bytes),
                    "Check that this is the file you meant.");
    }
    SaxInput input(text);
    Builder builder(input, limits.max_depth);
    bool ok = false;
    try {
        ok = Json::sax_parse(input.begin(), input.end(), &builder);
    } catch (const std::exception& e) {  // out of memory
        return fail(ErrorCode::OutOfMemory, fmt::format("{} cannot be read: {}.", name, e.what()),
                    "Close other programs, or check that this is the file you meant.");
    }
    if (!ok) {
        return fail(ErrorCode::Corrupt,
                    fmt::format("{}: {}: {}.", name, placeInText(text, builder.position()), builder.reason()),
                    "Correct the file at that place, or get it again.");
    }
    return builder.take();
}

Result<Json> readJson(const std::filesystem::path& path, JsonLimits limits) {
    STUDIO_TRY(const std::string text, readFile(path, limits.max_bytes));
    return parseJson(text, path.string(), limits);
}

std::string dumpJson(const Json& value, int indent) {
    std::string out;
    write(value, indent, 0, out);
    return out;
}

}  // namespace studio::io
