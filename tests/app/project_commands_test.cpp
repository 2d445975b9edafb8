// Commands on a project give what they give on the file that was imported into it, and never change it.
#include <QCryptographicHash>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QtTest>

#include "app/run_program.h"
#include "corpus/importer.h"
#include "project/project.h"

using namespace studio;

namespace {

const QString kSample =
    QStringLiteral(STUDIO_SOURCE_DIR "/resources/demo/sample/oasst1-en-validation.messages.jsonl.gz");

QByteArray content(const QString& path) {
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

}  // namespace

class ProjectCommandsTest : public QObject {
    Q_OBJECT
    QTemporaryDir home_;
    QProcessEnvironment env_;
    QString project_;

    test::Outcome run(const QStringList& arguments) { return test::run(arguments, env_, home_.path()); }
    QJsonObject json(const QStringList& arguments) {
        const test::Outcome outcome = run(arguments);
        if (outcome.code != 0) qWarning("%s", outcome.err.constData());
        return QJsonDocument::fromJson(outcome.out).object();
    }

  private Q_SLOTS:
    void initTestCase() {
        env_ = test::environment(home_.path());
        project_ = home_.path() + "/project";
        QVERIFY(project::Project::create(project_.toStdString()));
        auto store = corpus::Store::openFile(project::projectPaths(project_.toStdString()).corpus());
        QVERIFY(store);
        QVERIFY(corpus::importFile(*store, kSample.toStdString(), {}, {}));
    }

    void aQueryFindsTheSameMessages_data() {
        QTest::addColumn<QString>("filter");
        for (const char* filter : {"", "lang:en role:assistant quality>=0.6", "\"the\""})
            QTest::newRow(*filter ? filter : "all") << QString::fromLatin1(filter);
    }
    void aQueryFindsTheSameMessages() {
        QFETCH(QString, filter);
        const QJsonObject of_file = json({"query", "--data", kSample, "--filter", filter, "--json"});
        const QJsonObject of_project = json({"query", "--data", project_, "--filter", filter, "--json"});
        QVERIFY(of_file["messages"].toInt() > 0);
        QCOMPARE(of_project, of_file);
    }

    void prepareWritesTheSameBytes() {
        const QString file = home_.path() + "/of-file", folder = home_.path() + "/of-project";
        const QStringList options{"--paths", "tree", "--max_seq_length", "256", "--filter", "quality>=0.3", "--json"};
        const QJsonObject of_file = json(QStringList{"prepare", "--data", kSample, "--out", file} + options);
        const QJsonObject of_project = json(QStringList{"prepare", "--data", project_, "--out", folder} + options);
        QVERIFY(of_file["examples"].toInt() > 0);
        QCOMPARE(of_project, of_file);
        for (const char* name : {"/tokens.safetensors", "/manifest.json"})
            QCOMPARE(content(folder + name), content(file + name));
    }

    void aProjectBesideFilesIsRefused() {
        const test::Outcome outcome = run({"query", "--data", project_, kSample, "--filter", ""});
        QCOMPARE(outcome.code, 1);
        QVERIFY(outcome.err.contains("cannot be combined"));
    }
};

QTEST_GUILESS_MAIN(ProjectCommandsTest)
#include "project_commands_test.moc"
