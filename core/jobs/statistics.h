// Means of losses and their differences, with intervals that respect that conversations of one tree are not
// independent.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace studio::jobs {

// Sums over one tree's supervised tokens.
struct TreeLoss {
    double nll = 0, weight = 0;            // Σ w·nll in nats, Σ w
    double nll_text = 0, weight_text = 0;  // the same without the EOS of each answer
};

struct Estimate {
    double mean = 0, stderr_mean = 0;
    double low = 0, high = 0;  // 95 %
    bool excludesZero() const { return low > 0 || high < 0; }
};

// 97.5 % point of Student's t with `df` degrees of freedom (exact for 1 and 2; else the expansion of Cornish and
// Fisher, Abramowitz & Stegun 26.7.5, within 1e-3 from df = 3 on).
double tQuantile975(int df);

// Σy / Σx over clusters, as a ratio estimator: variance = n/(n−1) · Σ (y_c − mean·x_c)² / (Σx)² (Cochran, Sampling
// Techniques, 6.4, without the finite population term). Interval by Student's t with n−1 degrees of freedom.
Estimate ratioOfSums(const std::vector<double>& y, const std::vector<double>& x);

using TreeLosses = std::map<std::string, TreeLoss>;  // by tree id

// Nats a supervised token.
Estimate meanLoss(const TreeLosses& trees);

struct Difference {
    Estimate all, without_eos;  // other − base: below zero is an improvement
};
// Paired by tree; trees that only one side has are left out.
Difference pairedDifference(const TreeLosses& base, const TreeLosses& other);

}  // namespace studio::jobs
