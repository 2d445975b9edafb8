#include "ui/data/filter_terms.h"

#include <QTest>

#include "corpus/filter.h"
#include "ui/data/filter_words.h"
#include "ui/look/format.h"
#include "ui/widgets/safe_text.h"

using namespace studio;
using namespace studio::ui;
using corpus::Trait;

class TermsTest : public QObject {
    Q_OBJECT

    static QString q(const char* words) { return QString::fromUtf8(words); }

  private Q_SLOTS:
    void conditionsSideBySideAreTold() {
        QCOMPARE(filterTerms(q("lang:en  \"two words\" (a OR b) re:/x y/i -deleted NOT spam>0.5")),
                 (QStringList{q("lang:en"), q("\"two words\""), q("(a OR b)"), q("re:/x y/i"), q("-deleted"),
                              q("NOT spam>0.5")}));
        QCOMPARE(filterTerms(q("a OR b c")), QStringList{q("(a OR b c)")});
        QCOMPARE(filterTerms(q("  ")), QStringList());
    }

    void everythingThatIsWrittenIsReadBackAndParses_data() {
        QTest::addColumn<QString>("before");
        for (const char* before : {"", "python", "a OR b", "lang:de -deleted", "\"x y\" quality<0.2", "(a OR b) -c"})
            QTest::newRow(before) << q(before);
    }
    void everythingThatIsWrittenIsReadBackAndParses() {
        QFETCH(QString, before);
        const auto good = [](const QString& filter) { return corpus::Filter::parse(utf8(filter)).has_value(); };
        QString filter = toggleLanguage(before, q("pt-BR"));
        QVERIFY(good(filter));
        QVERIFY(readFacets(filter).languages.contains(q("pt-BR")));
        filter = setQuality(filter, 0.65);
        QVERIFY(good(filter));
        QCOMPARE(readFacets(filter).quality, std::optional(0.65));
        filter = setTurns(filter, 3, 5);
        QVERIFY(good(filter));
        QCOMPARE(readFacets(filter).turns_from, std::optional(3));
        QCOMPARE(readFacets(filter).turns_to, std::optional(5));
        for (const Trait trait : {Trait::Spam, Trait::Rejected, Trait::NotReviewed, Trait::Synthetic}) {
            QVERIFY(!readFacets(filter).left_out.contains(trait));
            filter = toggleLeftOut(filter, trait);
            QVERIFY(good(filter));
            QVERIFY(readFacets(filter).left_out.contains(trait));
        }
        QVERIFY(readFacets(filter).left_out.contains(Trait::Deleted));
        filter = toggleLeftOut(filter, Trait::Deleted);
        QVERIFY(good(filter));
        QVERIFY(!readFacets(filter).left_out.contains(Trait::Deleted));
        filter = toggleLeftOut(filter, Trait::Deleted);
        QVERIFY(readFacets(filter).left_out.contains(Trait::Deleted));
        for (const Trait trait : {Trait::Spam, Trait::Rejected, Trait::NotReviewed, Trait::Synthetic})
            filter = toggleLeftOut(filter, trait);
        filter = toggleLanguage(setTurns(setQuality(filter, {}), {}, {}), q("pt-BR"));
        QCOMPARE(readFacets(filter).quality, std::nullopt);
        QVERIFY(good(filter));
    }

    void severalLanguagesAreOneCondition() {
        QCOMPARE(toggleLanguage(toggleLanguage({}, q("en")), q("es")), q("lang:en,es"));
        QCOMPARE(toggleLanguage(q("lang:en,es x"), q("en")), q("lang:es x"));
        QCOMPARE(toggleLanguage(q("lang:es x"), q("es")), q("x"));
    }

    void promptsAreKeptBesideWhatIsAskedOfReplies() {
        QCOMPARE(withPrompts(q("role:assistant quality>=0.6")), q("role:prompter OR quality>=0.6"));
        QCOMPARE(withPrompts(q("quality>=0.6 humor>0.2")), q("role:prompter OR (quality>=0.6 humor>0.2)"));
        QCOMPARE(withPrompts(q("role:assistant")), QString());
    }

    void wordsAreOffered() {
        int begin = 0;
        const auto names = [&](const char* filter) {
            QStringList out;
            const QString text = q(filter);
            for (const auto& c : completions(text, int(text.size()), {q("en"), q("es"), q("de")}, begin)) out << c.text;
            return out;
        };
        QCOMPARE(names("qual"), QStringList{q("quality>=")});
        QCOMPARE(begin, 0);
        QCOMPARE(names("x -del"), QStringList{q("deleted")});
        QCOMPARE(begin, 3);
        QCOMPARE(names("lang:e"), (QStringList{q("en"), q("es")}));
        QCOMPARE(begin, 5);
        QCOMPARE(names("lang:en,d"), QStringList{q("de")});
        QCOMPARE(names("role:"), (QStringList{q("prompter"), q("assistant"), q("system")}));
        QCOMPARE(names("quality>=0"), QStringList());
        QCOMPARE(names(""), QStringList());
    }

    void whatCannotBeSeenIsShown() {
        const QString hostile = QString::fromUtf16(u"a\u0000b\u202Ec\u200Bd\re\tf\ng\u200Dh");
        QCOMPARE(visibleText(QString::fromUtf16(u"a\u202Eb\u200Bc\u0007d\te\nf\u200Dg")),
                 QString::fromUtf16(u"a▯b▯c␇d\te\nf\u200Dg"));
        QCOMPARE(visibleLine(QString::fromUtf16(u"a\nb\tc")), q("a b c"));
        QCOMPARE(visibleText(QString(QChar(0))), QString(QChar(0x2400)));
        QCOMPARE(visibleText(hostile).size(), hostile.size());
    }
};

QTEST_GUILESS_MAIN(TermsTest)
#include "terms_test.moc"
