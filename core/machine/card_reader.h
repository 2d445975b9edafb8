// Readings of the cards on a thread of their own: a driver may take long to answer, or never answer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "machine/nvml.h"

namespace studio::machine {

class CardReader {
  public:
    explicit CardReader(const std::string& library = Nvml::kLibrary);
    // Does not wait for a driver that hangs; its thread is left to the end of the process.
    ~CardReader();
    CardReader(const CardReader&) = delete;
    CardReader& operator=(const CardReader&) = delete;

    // Asks for one reading; nothing where one is on its way.
    void request();
    bool waiting() const;  // asked, and not yet answered
    // The answer, once.
    std::optional<Result<CardReport>> take();

  private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace studio::machine
