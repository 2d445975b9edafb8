// A program that ends badly leaves a report for its next start. Nothing is ever sent.
#pragma once

#include <QString>

namespace studio::ui {

// From now on SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT write the addresses of the stack into `folder`/crash.txt
// before the process ends as it would have.
void writeReportOnCrash(const QString& folder);

// While it lives, `folder`/running names this process.
class RunningMark {
  public:
    explicit RunningMark(const QString& folder);
    ~RunningMark();
    // Whether the last process did not come to its end; `report` is what it left, if anything.
    bool endedBadly() const { return ended_badly_; }
    const QString& report() const { return report_; }

  private:
    QString file_, report_;
    bool ended_badly_ = false;
};

}  // namespace studio::ui
