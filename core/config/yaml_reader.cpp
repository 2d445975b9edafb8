// yaml-cpp's event parser, not its node tree: events show anchors, aliases, tags and duplicate keys, which the tree
// hides.
#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <vector>

#include "config/node.h"

namespace studio::config {
namespace {

constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxKeys = 10000;  // of one map; finding duplicates compares each with each

// Thrown inside yaml-cpp's parser and caught around it.
struct Refusal {
    YAML::Mark mark;
    std::string reason, hint;
};

class NodeBuilder final : public YAML::EventHandler {
  public:
    Node root;
    bool seen = false;

    void OnDocumentStart(const YAML::Mark&) override { seen = true; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { scalar(mark, anchor, Node::Kind::Null, {}); }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuseAnchor(mark); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuseTag(mark, tag);
        scalar(mark, anchor, tag == "!" ? Node::Kind::Quoted : Node::Kind::Plain, value);
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        refuseTag(mark, tag);
        open(mark, anchor, Node::Kind::List);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        refuseTag(mark, tag);
        open(mark, anchor, Node::Kind::Map);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

  private:
    // A list or map that is still open. Its node lives here until it is closed, so that no pointer can dangle.
    struct Open {
        Node node;
        bool has_key = false;
        Node key;
    };

    static void refuseAnchor(const YAML::Mark& mark) {
        throw Refusal{mark, "anchors and aliases (& and *) are not read", "Write the value itself."};
    }
    static void refuseTag(const YAML::Mark& mark, const std::string& tag) {
        if (!tag.empty() && tag != "?" && tag != "!")
            throw Refusal{mark, fmt::format("the tag {} is not read", tag), "Write the value without a tag."};
    }
    static Node make(const YAML::Mark& mark, Node::Kind kind) {
        Node node;
        node.kind = kind;
        node.line = mark.line + 1;
        node.column = mark.column + 1;
        return node;
    }

    void scalar(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind, std::string text) {
        if (anchor != YAML::NullAnchor) refuseAnchor(mark);
        Node node = make(mark, kind);
        node.text = std::move(text);
        place(std::move(node));
    }
    void open(const YAML::Mark& mark, YAML::anchor_t anchor, Node::Kind kind) {
        if (anchor != YAML::NullAnchor) refuseAnchor(mark);
        if (open_.size() >= kMaxDepth)
            throw Refusal{mark, fmt::format("it is nested more than {} levels deep", kMaxDepth),
                          "Write a flatter file."};
        open_.push_back({make(mark, kind), false, {}});
    }
    void close() {
        Node node = std::move(open_.back().node);
        open_.pop_back();
        place(std::move(node));
    }
    void place(Node node) {
        if (open_.empty()) {
            root = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.kind == Node::Kind::List) {
            parent.node.items.push_back(std::move(node));
        } else if (!parent.has_key) {
            takeKey(parent, std::move(node));
        } else {
            parent.has_key = false;
            parent.node.entries.push_back({std::move(parent.key), std::move(node)});
        }
    }
    static void takeKey(Open& parent, Node node) {
        const YAML::Mark mark = [&] {
            YAML::Mark m;
            m.line = node.line - 1;
            m.column = node.column - 1;
            return m;
        }();
        if (node.kind == Node::Kind::Null) node.text = "null";
        if (!node.isScalar() && node.kind != Node::Kind::Null)
            throw Refusal{mark, "a list or map stands where a key belongs", "Write one `key: value` a line."};
        if (parent.node.find(node.text))
            throw Refusal{mark, fmt::format("the key {} occurs twice", shown(node)), "Keep one of them."};
        if (parent.node.entries.size() >= kMaxKeys)
            throw Refusal{mark, fmt::format("there are more than {} keys", kMaxKeys),
                          "Check that this is the file you meant."};
        parent.key = std::move(node);
        parent.has_key = true;
    }

    std::vector<Open> open_;
};

tl::unexpected<Error> refused(std::string_view name, const YAML::Mark& mark, std::string_view reason,
                              std::string hint) {
    return fail(ErrorCode::Corrupt,
                fmt::format("{}, line {}, column {}: {}.", name, mark.line + 1, mark.column + 1, reason),
                std::move(hint));
}

Result<Node> parseEvents(std::string_view text, std::string_view name) {
    try {
        // A document end: without it yaml-cpp takes a quote that is never closed for closed at the end of the file.
        std::istringstream stream{fmt::format("{}{}...\n", text, text.empty() || text.ends_with('\n') ? "" : "\n")};
        YAML::Parser parser(stream);
        NodeBuilder builder;
        parser.HandleNextDocument(builder);
        NodeBuilder second;
        if (parser && parser.HandleNextDocument(second) && second.seen)
            return fail(ErrorCode::Corrupt, fmt::format("{} holds more than one YAML document.", name),
                        "Keep one document a file, without `---` between.");
        return std::move(builder.root);
    } catch (const Refusal& refusal) {
        return refused(name, refusal.mark, refusal.reason, refusal.hint);
    } catch (const YAML::Exception& error) {
        return refused(name, error.mark, error.msg, "Correct the file at that place; indent with spaces.");
    } catch (const std::exception& error) {
        return fail(ErrorCode::Corrupt, fmt::format("{} cannot be read as YAML: {}.", name, error.what()),
                    "Check that this is the file you meant.");
    }
}

}  // namespace

Result<Node> parseYaml(std::string_view text, std::string_view name) {
    if (text.size() > kMaxConfigBytes)
        return fail(ErrorCode::OutOfRange,
                    fmt::format("{} has {} bytes; a configuration has at most {}.", name, text.size(), kMaxConfigBytes),
                    "Check that this is the file you meant.");
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (const std::size_t bad = invalidUtf8(text); bad != text.npos)
        return fail(ErrorCode::Corrupt, fmt::format("{} is not UTF-8 text (byte {}).", name, bad),
                    "Save the file as UTF-8.");
    // A NUL ends yaml-cpp's input silently.
    if (text.find('\0') != text.npos)
        return fail(ErrorCode::Corrupt, fmt::format("{} holds a zero byte, so it is no text file.", name),
                    "Check that this is the file you meant.");
    STUDIO_TRY(Node root, parseEvents(text, name));
    if (root.kind == Node::Kind::Null) root.kind = Node::Kind::Map;  // only comments
    if (root.kind != Node::Kind::Map)
        return fail(ErrorCode::Corrupt, fmt::format("{} is no list of `key: value` lines.", name),
                    "Each line is `key: value`, with a space after the colon.");
    return root;
}

}  // namespace studio::config
