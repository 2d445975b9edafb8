#include "jobs/statistics.h"

#include <cmath>
#include <limits>

namespace studio::jobs {

double tQuantile975(int df) {
    constexpr double z = 1.959963984540054;
    if (df < 1) return std::numeric_limits<double>::infinity();
    if (df == 1) return 12.706204736432095;
    if (df == 2) return 4.302652729696142;
    const double n = df, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, z9 = z7 * z * z;
    return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
           (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n) +
           (79 * z9 + 776 * z7 + 1482 * z5 - 1920 * z3 - 945 * z) / (92160 * n * n * n * n);
}

Estimate ratioOfSums(const std::vector<double>& y, const std::vector<double>& x) {
    double sum_y = 0, sum_x = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        sum_y += y[i];
        sum_x += x[i];
    }
    Estimate e;
    if (sum_x <= 0) return e;
    e.mean = sum_y / sum_x;
    const auto n = static_cast<double>(y.size());
    if (y.size() < 2) {
        e.stderr_mean = std::numeric_limits<double>::infinity();
    } else {
        double squares = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            const double residual = y[i] - e.mean * x[i];
            squares += residual * residual;
        }
        e.stderr_mean = std::sqrt(n / (n - 1) * squares) / sum_x;
    }
    const double half = tQuantile975(static_cast<int>(y.size()) - 1) * e.stderr_mean;
    e.low = e.mean - half;
    e.high = e.mean + half;
    return e;
}

Estimate meanLoss(const TreeLosses& trees) {
    std::vector<double> y, x;
    for (const auto& [id, tree] : trees) {
        y.push_back(tree.nll);
        x.push_back(tree.weight);
    }
    return ratioOfSums(y, x);
}

Difference pairedDifference(const TreeLosses& base, const TreeLosses& other) {
    std::vector<double> y, x, y_text, x_text;
    for (const auto& [id, tree] : base) {
        const auto found = other.find(id);
        if (found == other.end()) continue;
        y.push_back(found->second.nll - tree.nll);
        x.push_back(tree.weight);
        y_text.push_back(found->second.nll_text - tree.nll_text);
        x_text.push_back(tree.weight_text);
    }
    return {ratioOfSums(y, x), ratioOfSums(y_text, x_text)};
}

}  // namespace studio::jobs
