// SIGINT and SIGTERM as requests, handled on a thread of their own so that nothing runs inside a signal handler.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <thread>

namespace studio::cli {

// Must be made before any other thread, which then inherits the blocked signals. The n-th signal (from 1) is handed to
// `onSignal`; without one the first signal requests stop. The third ends the process at once.
class Signals {
  public:
    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    std::stop_token token() const { return stop_.get_token(); }
    void requestStop() { stop_.request_stop(); }
    // Called on the signal thread. Set it from the main thread before the long work begins.
    void onSignal(std::function<void(int count)> handler);
    bool interrupted() const;  // by SIGINT
    bool terminated() const;   // by SIGTERM

  private:
    struct Shared;
    std::stop_source stop_;
    std::shared_ptr<Shared> shared_;
    std::jthread thread_;
};

}  // namespace studio::cli
