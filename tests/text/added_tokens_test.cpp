#include "text/added_tokens.h"

#include <QtTest>

using namespace studio::text;

namespace {

// "[7]" for the token with the id 7, other text as it is, a bar between pieces.
std::string pieces(const AddedTokens& tokens, std::string_view text, bool with_specials) {
    std::string out;
    tokens.split(
        text, with_specials, [&](std::string_view plain) { out += "|" + std::string(plain); },
        [&](int id) { out += "|[" + std::to_string(id) + "]"; });
    return out;
}

AddedTokens someTokens() {
    return AddedTokens({{"<eos>", 1, true, false},
                        {"  ", 2, false, true},
                        {"   ", 3, false, true},
                        {"ab", 4, false, true},
                        {"abcde", 5, false, true},
                        {"z", 6, false, false},
                        {" <", 7, false, true},
                        {"\xFF", 8, false, true}});
}

}  // namespace

class AddedTokensTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void theLeftmostThenLongestIsFound() {
        const AddedTokens tokens = someTokens();
        QCOMPARE(pieces(tokens, "x  y   z", true), std::string("|x|[2]|y|[3]|[6]"));
        QCOMPARE(pieces(tokens, "    ", true), std::string("|[3]| "));
        QCOMPARE(pieces(tokens, "     ", true), std::string("|[3]|[2]"));
        QCOMPARE(pieces(tokens, "abcdx", true), std::string("|[4]|cdx"));  // the longer one does not end well
        QCOMPARE(pieces(tokens, "aabcde", true), std::string("|a|[5]"));
        QCOMPARE(pieces(tokens, "a", true), std::string("|a"));
        QCOMPARE(pieces(tokens, "", true), std::string(""));
        QCOMPARE(pieces(tokens, "q\xFFq", true), std::string("|q|[8]|q"));
    }

    void specialsAreTextInMessages() {
        const AddedTokens tokens = someTokens();
        QCOMPARE(pieces(tokens, "a<eos><eos>b", true), std::string("|a|[1]|[1]|b"));
        QCOMPARE(pieces(tokens, "a<eos>b", false), std::string("|a<eos>b"));
        QCOMPARE(pieces(tokens, "a<eos>  b", false), std::string("|a<eos>|[2]|b"));
    }

    void tokensThatAreNotNormalizedComeFirst() {
        const AddedTokens tokens = someTokens();
        QCOMPARE(pieces(tokens, " <eos>", true), std::string("| |[1]"));  // though " <" stands further left
        QCOMPARE(pieces(tokens, " <eos>", false), std::string("|[7]|eos>"));
    }

    void noTokensLeaveTheTextWhole() { QCOMPARE(pieces(AddedTokens(), "a  b", true), std::string("|a  b")); }
};

QTEST_APPLESS_MAIN(AddedTokensTest)
#include "added_tokens_test.moc"
