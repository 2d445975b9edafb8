#include "corpus/link.h"

namespace studio::corpus {
namespace {

using Messages = std::vector<LinkInput>;
using Links = std::vector<Link>;

void judgeAlone(const Messages& messages, Links& links) {
    for (std::uint32_t i = 0; i < messages.size(); ++i) {
        const LinkInput& message = messages[i];
        if (!message.names_parent) continue;
        if (message.parent == kNoMessage)
            links[i].fate = Fate::Orphan;
        else if (message.parent == i)
            links[i].fate = Fate::SelfParent;
        else if (messages[message.parent].tree != message.tree)
            links[i].fate = Fate::OtherTree;
        else
            links[i] = {.parent = message.parent, .fate = Fate::Reply};
    }
}

// Every walk upwards ends at a message that an earlier walk has seen, or at one of its own: that is a cycle.
void findCycles(Links& links) {
    std::vector<std::uint32_t> seen_by(links.size(), kNoMessage);
    for (std::uint32_t start = 0; start < links.size(); ++start) {
        std::uint32_t at = start;
        while (at != kNoMessage && seen_by[at] == kNoMessage) {
            seen_by[at] = start;
            at = links[at].parent;
        }
        if (at == kNoMessage || seen_by[at] != start || links[at].fate == Fate::Cycle) continue;
        for (std::uint32_t member = at; links[member].fate != Fate::Cycle; member = links[member].parent)
            links[member].fate = Fate::Cycle;
    }
    for (Link& link : links)
        if (link.fate == Fate::Cycle) link.parent = kNoMessage;
}

void orphanBelowRejected(Links& links) {
    for (Link& link : links) {
        if (link.parent == kNoMessage || !isRejected(links[link.parent].fate)) continue;
        link = {.fate = Fate::Orphan, .parent_rejected = true};
    }
}

// Without cycles: climb to the nearest message whose depth is known, then come down again.
void findDepths(Links& links) {
    std::vector<bool> known(links.size(), false);
    std::vector<std::uint32_t> way;
    for (std::uint32_t start = 0; start < links.size(); ++start) {
        for (std::uint32_t at = start; at != kNoMessage && !known[at]; at = links[at].parent) way.push_back(at);
        for (; !way.empty(); way.pop_back()) {
            Link& link = links[way.back()];
            known[way.back()] = true;
            if (link.parent == kNoMessage) continue;
            const Link& parent = links[link.parent];
            link.depth = static_cast<std::uint16_t>(parent.depth + 1);
            if (parent.fate != Fate::TooDeep && link.depth < kMaxDepth) continue;
            link.depth = kMaxDepth;
            link.fate = Fate::TooDeep;
        }
    }
}

}  // namespace

std::vector<Link> link(const std::vector<LinkInput>& messages) {
    Links links(messages.size());
    judgeAlone(messages, links);
    findCycles(links);
    orphanBelowRejected(links);
    findDepths(links);
    for (std::uint32_t i = 0; i < links.size(); ++i) {
        Link& link = links[i];
        if (link.fate != Fate::Reply) {
            link.parent = kNoMessage;
            continue;
        }
        ++links[link.parent].replies;
        link.same_role = messages[i].role == messages[link.parent].role;
    }
    return links;
}

}  // namespace studio::corpus
