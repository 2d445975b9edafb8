#include "io/byte_source.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "io/fd.h"
#include "io/file.h"

namespace studio::io {
namespace {

class PlainSource : public ByteSource {
  public:
    PlainSource(RegularFile file, std::filesystem::path path, bool growing)
        : file_(std::move(file)), path_(std::move(path)), growing_(growing) {}

    Result<std::size_t> read(std::span<char> into) override {
        STUDIO_TRY(const std::size_t n, readSome(file_.fd.get(), into, path_));
        read_ += n;
        if (n < into.size() && !growing_) STUDIO_CHECK(checkUnchanged());
        return n;
    }
    std::uint64_t bytesRead() const override { return read_; }
    std::uint64_t fileSize() const override { return file_.size; }

  private:
    // What was read must be one state of the file, not the mixture of two.
    Result<void> checkUnchanged() const {
        struct stat now {};
        if (::fstat(file_.fd.get(), &now) != 0) return fail(systemError(errno, "read", path_));
        const auto modified = static_cast<std::int64_t>(now.st_mtim.tv_sec) * 1'000'000'000 + now.st_mtim.tv_nsec;
        if (read_ == file_.size && modified == file_.modified_ns) return {};
        return fail(ErrorCode::Io, fmt::format("{} was changed while it was read.", path_.string()),
                    "Wait until the other program has finished writing, then try again.");
    }

    RegularFile file_;
    std::filesystem::path path_;
    const bool growing_;
    std::uint64_t read_ = 0;
};

class GzipSource final : public ByteSource {
  public:
    GzipSource(std::unique_ptr<PlainSource> file, std::filesystem::path path, std::uint64_t max_expanded)
        : file_(std::move(file)), path_(std::move(path)), max_expanded_(max_expanded), input_(kInput) {
        ready_ = inflateInit2(&stream_, MAX_WBITS + 16) == Z_OK;
    }
    ~GzipSource() override {
        if (ready_) inflateEnd(&stream_);
    }
    GzipSource(const GzipSource&) = delete;

    Result<std::size_t> read(std::span<char> into) override {
        if (failed_) return fail(*failed_);
        if (!ready_)
            return fail(ErrorCode::OutOfMemory, "There is not enough memory to expand " + path_.string() + ".");
        std::size_t done = 0;
        while (done < into.size() && !ended_) {
            auto n = inflateSome(into.subspan(done));
            if (!n) {
                failed_ = std::move(n).error();
                if (done == 0) return fail(*failed_);
                break;  // the good bytes first
            }
            done += *n;
        }
        return done;
    }
    std::uint64_t bytesRead() const override { return file_->bytesRead() - stream_.avail_in; }
    std::uint64_t fileSize() const override { return file_->fileSize(); }

  private:
    static constexpr std::size_t kInput = 256u << 10;

    Result<std::size_t> inflateSome(std::span<char> into) {
        if (stream_.avail_in == 0) {
            STUDIO_TRY(const std::size_t n, file_->read(input_));
            stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
            stream_.avail_in = static_cast<uInt>(n);
            if (n == 0) {
                if (between_members_) {
                    ended_ = true;
                    return std::size_t{0};
                }
                return fail(ErrorCode::Corrupt,
                            fmt::format("{} breaks off: its gzip data end at byte {}, in the middle.", path_.string(),
                                        bytesRead()),
                            "The file was not copied completely; copy or download it again.");
            }
        }
        if (between_members_ && !beginMember()) return std::size_t{0};
        stream_.next_out = reinterpret_cast<Bytef*>(into.data());
        const auto room = static_cast<uInt>(std::min<std::size_t>(into.size(), 1u << 30));
        stream_.avail_out = room;
        const int status = inflate(&stream_, Z_NO_FLUSH);
        const std::size_t n = room - stream_.avail_out;
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
            return fail(ErrorCode::Corrupt,
                        fmt::format("{} is damaged: its gzip data are wrong near byte {} ({}).", path_.string(),
                                    bytesRead(), stream_.msg ? stream_.msg : "no reason given"),
                        "Copy or download the file again.");
        }
        expanded_ += n;
        if (expanded_ > max_expanded_) {
            return fail(ErrorCode::OutOfRange,
                        fmt::format("{} expands to more than {} bytes.", path_.string(), max_expanded_),
                        "Check that this is the file you meant; a file that large has to be divided.");
        }
        if (status == Z_STREAM_END) between_members_ = true;
        return n;
    }

    // After a member: another one, the end, or the zeros that tapes and some writers pad with. True to go on inflating.
    bool beginMember() {
        while (stream_.avail_in > 0 && *stream_.next_in == 0) {
            ++stream_.next_in;
            --stream_.avail_in;
        }
        if (stream_.avail_in == 0) return false;
        inflateReset(&stream_);  // whatever else follows makes inflate say "incorrect header check"
        between_members_ = false;
        return true;
    }

    std::unique_ptr<PlainSource> file_;
    std::filesystem::path path_;
    const std::uint64_t max_expanded_;
    std::vector<char> input_;
    z_stream stream_{};
    std::uint64_t expanded_ = 0;
    bool ready_ = false, ended_ = false, between_members_ = false;
    std::optional<Error> failed_;
};

// No text has these, in UTF-8 or an older encoding.
bool isBinary(unsigned char c) {
    return c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f';
}

}  // namespace

Result<std::unique_ptr<ByteSource>> ByteSource::open(const std::filesystem::path& path, std::uint64_t max_expanded,
                                                     bool growing) {
    STUDIO_TRY(RegularFile file, openRegular(path));
    unsigned char head[512] = {};
    const ssize_t read = ::pread(file.fd.get(), head, sizeof head, 0);
    const bool gzip = read >= 2 && head[0] == 0x1F && head[1] == 0x8B;
    // Text that is merely named so is read as text.
    if (!gzip && path.extension() == ".gz" && std::any_of(head, head + std::max<ssize_t>(0, read), isBinary))
        return fail(ErrorCode::Corrupt, fmt::format("{} is named .gz but is not gzip.", path.string()),
                    "Download or copy it again; if it is of another kind, unpack it and give it its own name.");
    auto plain = std::make_unique<PlainSource>(std::move(file), path, growing);
    if (!gzip) return std::unique_ptr<ByteSource>(std::move(plain));
    return std::unique_ptr<ByteSource>(std::make_unique<GzipSource>(std::move(plain), path, max_expanded));
}

}  // namespace studio::io
