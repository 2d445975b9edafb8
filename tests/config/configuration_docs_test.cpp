// docs/configuration.md is what the tables say.
#include <fmt/format.h>

#include <QTest>

#include "config/docs.h"
#include "config/known_keys.h"
#include "support.h"

using namespace studio;

class ConfigurationDocsTest : public QObject {
    Q_OBJECT

  private Q_SLOTS:
    void theCommittedPageIsUpToDate() {
        QVERIFY2(
            test::bytes(config::configurationDocs()) == test::bytes(test::read(test::source("docs/configuration.md"))),
            "docs/configuration.md is out of date: build and run config_rewrite");
    }

    void everyKeyIsInIt() {
        const std::string text = config::configurationDocs();
        for (const std::string_view key : config::allKeys())
            QVERIFY2(text.find(fmt::format("`{}`", key)) != text.npos, std::string(key).c_str());
    }
};

QTEST_GUILESS_MAIN(ConfigurationDocsTest)
#include "configuration_docs_test.moc"
