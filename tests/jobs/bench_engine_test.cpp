// What a training step is said to cost, counted by hand.
#include "jobs/bench_engine.h"

#include <QtTest>

using namespace studio;

namespace {

class BenchEngineTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void operationsAreCountedByHand() {
        config::PhiConfig phi;
        phi.vocab_size = 10;
        phi.hidden_size = 4;
        phi.intermediate_size = 8;
        phi.num_hidden_layers = 2;
        phi.num_attention_heads = phi.num_key_value_heads = 2;
        phi.head_dim = 2;
        // A layer's linears: q, k, v, dense of 4 × 4, fc1 and fc2 of 4 × 8.
        const double weights = 2 * (4 * 16 + 2 * 32), sides = 2 * (4 * 8 + 2 * 12);
        const double rows = 3 * 5;
        const double linears = rows * 2 * 2 * weights, lora = rows * 6 * 2 * sides;
        // A conversation's square has 5 · 5 / 2 pairs; six products of two operations in each of 4 columns, two layers.
        const double attention = 3 * 12.5 * 6 * 2 * 4 * 2;
        const double head = 7 * 2 * 2 * 4 * 10;
        QCOMPARE(jobs::stepOperations(phi, 2, 3, 5, 7), linears + lora + attention + head);
    }
};

}  // namespace

QTEST_GUILESS_MAIN(BenchEngineTest)
#include "bench_engine_test.moc"
