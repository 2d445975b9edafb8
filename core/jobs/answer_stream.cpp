#include "jobs/answer_stream.h"

#include <algorithm>
#include <utility>

namespace studio::jobs {

std::string AnswerStream::push(int token) {
    if (stopped_) return {};
    held_ += decoder_.push(token);
    return release(false);
}

std::string AnswerStream::finish() {
    if (stopped_) return {};
    held_ += decoder_.finish();
    return release(true);
}

std::string AnswerStream::release(bool all) {
    std::size_t first_stop = std::string::npos;
    for (const std::string& stop : stop_strings_) first_stop = std::min(first_stop, held_.find(stop));
    if (first_stop != std::string::npos) {
        stopped_ = true;
        held_.resize(first_stop);
        return std::exchange(held_, {});
    }
    std::size_t keep = 0;  // the longest end of `held_` that begins a stop string
    if (!all) {
        for (const std::string& stop : stop_strings_) {
            for (std::size_t n = std::min(stop.size() - 1, held_.size()); n > keep; --n) {
                if (held_.compare(held_.size() - n, n, stop, 0, n) == 0) keep = n;
            }
        }
    }
    std::string out = held_.substr(0, held_.size() - keep);
    held_.erase(0, out.size());
    return out;
}

}  // namespace studio::jobs
