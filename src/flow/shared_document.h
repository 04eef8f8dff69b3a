// A document of the provider (discovery, key set): parsed in the worker, its bytes shared by all
// workers and kept over reloads. Fetched when first asked for, by one worker at a time; an old one
// serves while it is fetched anew; failures back off from 1 s to 30 s, for all workers together.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "oidc/crypto.h"
#include "oidc/fields.h"
#include "oidc/flow.h"
#include "oidc/io.h"
#include "oidc/loop.h"

namespace oidc {

template <class T>
class SharedDocument {
 public:
  using Pointer = std::shared_ptr<const T>;
  using Answer = Result<Pointer>;
  using Parse = std::function<Result<T>(std::string_view)>;

  // `resurrect`: how much longer than its lifetime a document serves while none newer is to be had.
  SharedDocument(std::string name, Seconds lifetime, Seconds resurrect, Milliseconds patience, HttpClient& http,
                 SharedMemory& shared, Loop& loop, EventLog& log, Parse parse)
      : name_(std::move(name)),
        lifetime_(lifetime),
        resurrect_(resurrect),
        patience_(patience),
        http_(http),
        shared_(shared),
        loop_(loop),
        log_(log),
        parse_(std::move(parse)) {}

  [[nodiscard]] Task<Answer> get(std::string url) {
    if (!is_fresh()) adopt();
    if (is_fresh()) co_return current_;
    if (may_serve_old()) {
      if (!in_flight_ && !backing_off()) begin_fetch(url);
      co_return current_;
    }
    Arrival arriving = in_flight_;
    if (!arriving) {
      if (backing_off()) {
        co_return Error{Errc::provider_unreachable, "the last attempts failed; waiting"};
      }
      arriving = begin_fetch(url);
    }
    co_return co_await arrival(arriving);
  }

  // Counts the versions that were taken over; nullopt: none is fresh.
  [[nodiscard]] std::optional<std::uint64_t> version() const {
    if (!is_fresh()) return std::nullopt;
    return version_;
  }
  [[nodiscard]] const Pointer& current() const noexcept { return current_; }

  // Another version than `seen`, fetched if the throttle allows it.
  struct Newer {
    Pointer document;
    bool asked = false;  // fetched since the call, here or by another worker
  };
  [[nodiscard]] Task<Result<Newer>> newer(std::string url, Pointer seen, std::string throttle_name,
                                          Milliseconds throttle) {
    adopt();
    if (current_ && current_ != seen) co_return Newer{current_, false};
    Arrival arriving = in_flight_;
    if (!arriving) {
      const bool may_fetch = throttle.count() == 0 ||
                             shared_.put_if_absent(throttle_name, "1", throttle);
      if (!may_fetch) {
        co_await await_foreign_fetch();
        adopt();
        const bool asked = current_ && current_ != seen;
        co_return Newer{asked ? current_ : seen, asked};
      }
      arriving = begin_fetch(url);
    }
    Answer answer = co_await arrival(arriving);
    if (answer) co_return Newer{std::move(*answer), true};
    if (seen) co_return Newer{seen, false};
    co_return std::move(answer).error();
  }

 private:
  using Arrival = std::shared_ptr<Promised<std::shared_ptr<Answer>>>;

  // A fetch in the future means that the clock was set back.
  [[nodiscard]] bool is_fresh() const {
    const Seconds now = loop_.now();
    return current_ && fetched_at_ <= now && now < add_saturated(fetched_at_, lifetime_);
  }
  [[nodiscard]] bool may_serve_old() const {
    if (!current_ || resurrect_ == 0) return false;
    return loop_.now() < add_saturated(add_saturated(fetched_at_, lifetime_), resurrect_);
  }
  [[nodiscard]] bool backing_off() { return shared_.get("backoff:" + name_).has_value(); }

  // Shared form: a stamp that names this version, the time of the fetch, the document.
  void adopt() {
    const std::optional<std::string> bytes = shared_.get("document:" + name_);
    if (!bytes) return;
    FieldReader in(*bytes);
    const std::string_view stamp = in.raw(kStampSize);
    const Seconds fetched_at = in.i64();
    const std::string_view text = in.text();
    if (!in.complete() || stamp == stamp_) return;
    Result<T> parsed = parse_(text);
    if (!parsed) return;
    stamp_ = stamp;
    fetched_at_ = fetched_at;
    current_ = std::make_shared<const T>(std::move(*parsed));
    ++version_;
  }

  void publish(std::string_view text) {
    FieldWriter out;
    out.i64(loop_.now()).text(text);
    const std::string bytes = random_string(kStampSize) + out.bytes();
    if (!shared_.put("document:" + name_, bytes, kKeptFor)) {
      log_.write(LogLevel::warn, Errc::internal, "no room to share a document of the provider");
      stamp_ = bytes.substr(0, kStampSize);
      fetched_at_ = loop_.now();
    }
  }

  // The fetch may have ended before this returns.
  Arrival begin_fetch(std::string url) {
    const Arrival arriving = std::make_shared<typename Arrival::element_type>();
    in_flight_ = arriving;
    loop_.spawn(fetch(std::move(url), arriving));
    return arriving;
  }

  // Belongs to the worker: it ends whoever still waits.
  Task<void> fetch(std::string url, Arrival arrived) {
    const std::string lease = "lease:" + name_;
    const std::string owner = random_string(16);
    if (!shared_.put_if_absent(lease, owner, patience_ + Milliseconds(1000))) {
      const std::string before = stamp_;
      co_await await_foreign_fetch();
      adopt();
      if (stamp_ != before) {
        finish(arrived, Answer(current_));
        co_return;
      }
      if (backing_off()) {
        finish(arrived, Answer(Error{Errc::provider_unreachable, "the last attempt failed"}));
        co_return;
      }
      shared_.put_if_absent(lease, owner, patience_ + Milliseconds(1000));
    }
    Answer answer = Error{Errc::internal, "the fetch ended by an exception"};
    try {
      answer = co_await download(url);
    } catch (const std::exception&) {
      // Whoever waits is told; the next one tries again.
    }
    if (answer) {
      shared_.put("failures:" + name_, "0", Milliseconds(1));
    } else {
      back_off();
      if (current_) log_.write(LogLevel::error, answer.error().code, answer.error().detail);
    }
    shared_.erase_if_equal(lease, owner);
    finish(arrived, std::move(answer));
  }

  Task<Answer> download(std::string url) {
    HttpRequest request;
    request.url = std::move(url);
    Result<HttpResponse> response = co_await http_.send(std::move(request));
    if (!response) co_return std::move(response).error();
    if (response->status != 200) {
      const Errc code = response->status >= 500 || response->status == 429
                            ? Errc::provider_overloaded
                            : Errc::provider_status;
      co_return Error{code, "status " + std::to_string(response->status)};
    }
    Result<T> parsed = parse_(response->body);
    if (!parsed) co_return std::move(parsed).error();
    current_ = std::make_shared<const T>(std::move(*parsed));
    ++version_;
    publish(response->body);
    // What was published is what this worker holds: take over its stamp.
    const Pointer mine = current_;
    adopt();
    co_return current_ ? current_ : mine;
  }

  void back_off() {
    const std::optional<std::string> failures = shared_.get("failures:" + name_);
    const unsigned count = failures && !failures->empty()
                               ? static_cast<unsigned char>(failures->front() - '0')
                               : 0;
    const unsigned step = std::min(count, 5U);
    const Milliseconds delay = std::min(Milliseconds(1000) * (1 << step), Milliseconds(30000));
    shared_.put("backoff:" + name_, "1", delay);
    shared_.put("failures:" + name_, std::string(1, static_cast<char>('0' + step + 1)),
                delay + Milliseconds(60000));
  }

  void finish(const Arrival& arrived, Answer answer) {
    arrived->set(std::make_shared<Answer>(std::move(answer)));
    in_flight_.reset();
  }

  Task<Answer> arrival(Arrival arriving) {
    const auto answer = co_await wait_for(loop_, arriving, patience_ + Milliseconds(2000));
    if (!answer) co_return Error{Errc::provider_timeout, "no answer in time"};
    co_return **answer;
  }

  // Another worker fetches: look again every 20 ms, only while somebody waits.
  Task<void> await_foreign_fetch() {
    const std::string lease = "lease:" + name_;
    for (Milliseconds waited{0}; waited < patience_; waited += kPoll) {
      if (!shared_.get(lease)) co_return;
      co_await sleep_for(loop_, kPoll);
    }
  }

  static constexpr std::size_t kStampSize = 8;
  static constexpr Milliseconds kPoll{20};
  static constexpr Milliseconds kKeptFor{7LL * 86400 * 1000};

  const std::string name_;
  const Seconds lifetime_;
  const Seconds resurrect_;
  const Milliseconds patience_;
  HttpClient& http_;
  SharedMemory& shared_;
  Loop& loop_;
  EventLog& log_;
  const Parse parse_;

  Pointer current_;
  Seconds fetched_at_ = 0;
  std::uint64_t version_ = 0;
  std::string stamp_;
  Arrival in_flight_;
};

}  // namespace oidc
