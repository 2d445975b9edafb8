// Run folders as a finished, stopped, failed … run leaves them, without training one.
#pragma once

#include <filesystem>
#include <string>

#include "project/run_folder.h"
#include "ui/session/run_service.h"

namespace studio::ui::testing {

struct RunOptions {
    std::string name = "studio-r16";
    project::RunState state = project::RunState::Finished;
    int steps = 420, total = 420;
    int eval_every = 30, save_every = 100;
    std::string failure = {};
    double rate = 2e-4;
    int r = 16;
    bool samples = true;
    double final_loss = 1.55;
    int spike = 214;
    std::string filter = "lang = en";
    int best_at = 0;  // the validation loss rises after this step; 0: it falls to the end
};

// Below `runs`; the folder's name is the run's.
std::filesystem::path makeRun(const std::filesystem::path& runs, const RunOptions& options);
// The steps `first` to `last` of such a run.
std::vector<project::StepRecord> stepRecords(const RunOptions& options, int first, int last);
double evalLoss(const RunOptions& options, int step);
std::vector<RunEntry> entriesOf(const std::filesystem::path& runs);

}  // namespace studio::ui::testing
