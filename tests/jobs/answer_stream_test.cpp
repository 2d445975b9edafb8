#include "jobs/answer_stream.h"

#include <QtTest>

using namespace studio;

namespace {

// One token a byte; 256 is the end.
class Bytes final : public text::Tokenizer {
  public:
    Bytes() {
        for (int i = 0; i < 256; ++i) bytes_.push_back(std::string(1, static_cast<char>(i)));
    }
    void encode(std::string_view text, std::vector<int>& ids) const override {
        for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
    }
    void encodeWithSpecials(std::string_view text, std::vector<int>& ids) const override { encode(text, ids); }
    std::string_view tokenBytes(int id) const override {
        return id < 256 ? std::string_view(bytes_[std::size_t(id)]) : "";
    }
    int size() const override { return 257; }
    int eos() const override { return 256; }
    std::string_view eosText() const override { return "<end>"; }
    bool isSpecial(int id) const override { return id == 256; }

  private:
    std::vector<std::string> bytes_;
};

struct Shown {
    std::string text;
    bool stopped;
    std::size_t longest_held = 0;
};

Shown feed(const std::string& text, std::vector<std::string> stops) {
    const Bytes tokenizer;
    jobs::AnswerStream stream(tokenizer, std::move(stops));
    Shown shown{};
    std::size_t given = 0;
    for (const char c : text) {
        shown.text += stream.push(static_cast<unsigned char>(c));
        ++given;
        if (!stream.stopped()) shown.longest_held = std::max(shown.longest_held, given - shown.text.size());
    }
    shown.text += stream.finish();
    shown.stopped = stream.stopped();
    return shown;
}

}  // namespace

class AnswerStreamTest : public QObject {
    Q_OBJECT
  private Q_SLOTS:
    void textWithoutAStopStringComesWhole() {
        const Shown s = feed("Hello < world <|pro", {"<|prompter|>"});
        QCOMPARE(s.text, std::string("Hello < world <|pro"));
        QVERIFY(!s.stopped);
    }
    void nothingOfAStopStringIsShown() {
        const Shown s = feed("Yes.<|prompter|>And then?", {"<|prompter|>"});
        QCOMPARE(s.text, std::string("Yes."));
        QVERIFY(s.stopped);
        QVERIFY(s.longest_held < 12);
    }
    void theEarliestOfSeveralStops() { QCOMPARE(feed("a### Human:b", {"### Human:", "###"}).text, std::string("a")); }
    void aStopStringThatBeginsInsideItselfIsFound() { QCOMPARE(feed("xaab", {"ab"}).text, std::string("xa")); }
    void halfCharactersAreHeldBack() {
        const Bytes tokenizer;
        jobs::AnswerStream stream(tokenizer, {});
        QCOMPARE(stream.push(0xE6), std::string());
        QCOMPARE(stream.push(0x97), std::string());
        QCOMPARE(stream.push(0xA5), std::string("日"));
    }
};

QTEST_APPLESS_MAIN(AnswerStreamTest)
#include "answer_stream_test.moc"
