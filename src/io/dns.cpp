#include "io/dns.h"

#include <algorithm>
#include <optional>

namespace oidc {
namespace {

struct Answer {
  ngx_int_t state = NGX_ERROR;
  std::vector<Address> addresses;
};

// One question to nginx's resolver. The resolver calls back when it likes, even from inside
// ngx_resolve_name; the coroutine goes on by the loop. Destroying the awaiter withdraws the
// question.
class Question {
 public:
  Question(Loop& loop, ngx_resolver_t* resolver, std::string name, Milliseconds timeout)
      : loop_(loop), resolver_(resolver), name_(std::move(name)), timeout_(timeout) {}
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;
  ~Question() {
    if (context_ != nullptr) ngx_resolve_name_done(context_);
  }

  bool await_ready() const noexcept { return false; }

  bool await_suspend(std::coroutine_handle<> handle) {
    waiter_.handle = handle;
    context_ = ngx_resolve_start(resolver_, nullptr);
    if (context_ == nullptr || context_ == NGX_NO_RESOLVER) {
      context_ = nullptr;
      return false;
    }
    context_->name = to_ngx_str(name_);  // lower-cased in place by the resolver: name_ is ours
    context_->handler = [](ngx_resolver_ctx_t* context) noexcept {
      static_cast<Question*>(context->data)->answered(context);
    };
    context_->data = this;
    context_->timeout = static_cast<ngx_msec_t>(std::max<Milliseconds::rep>(timeout_.count(), 1));
    if (ngx_resolve_name(context_) != NGX_OK) {
      context_ = nullptr;  // the resolver has freed it
      return false;
    }
    return true;
  }

  Answer await_resume() { return std::move(answer_); }

 private:
  void answered(ngx_resolver_ctx_t* context) noexcept {
    guard([this, context] {
      answer_.state = context->state;
      if (context->state != NGX_OK) return;
      for (ngx_uint_t i = 0; i < context->naddrs; ++i) {
        const ngx_resolver_addr_t& found = context->addrs[i];
        const std::optional<Address> address = Address::from(found.sockaddr, found.socklen, 0);
        if (address) answer_.addresses.push_back(*address);
      }
    });
    context_ = nullptr;
    ngx_resolve_name_done(context);
    guard([this] { loop_.post(waiter_); });
  }

  Loop& loop_;
  ngx_resolver_t* resolver_;
  std::string name_;
  Milliseconds timeout_;
  ngx_resolver_ctx_t* context_ = nullptr;
  Answer answer_;
  Waiter waiter_;
};

Question ask(Loop& loop, ngx_resolver_t* resolver, std::string name, Milliseconds timeout) {
  return {loop, resolver, std::move(name), timeout};
}

Error failure(const std::string& host, ngx_int_t state) {
  const Errc code =
      state == NGX_RESOLVE_TIMEDOUT ? Errc::provider_timeout : Errc::provider_unreachable;
  return {code, "could not resolve " + host + ": " + ngx_resolver_strerror(state)};
}

ngx_str_t copy_to_pool(ngx_pool_t* pool, const std::string& text) {
  ngx_str_t source = to_ngx_str(text);
  return {source.len, ngx_pstrdup(pool, &source)};
}

}  // namespace

ngx_resolver_t* create_system_resolver(ngx_conf_t* cf, const SystemNames& names) {
  std::vector<ngx_str_t> servers;
  for (const std::string& server : names.name_servers) {
    servers.push_back(copy_to_pool(cf->pool, server));
    if (servers.back().data == nullptr) return nullptr;
  }
  ngx_resolver_t* resolver = ngx_resolver_create(cf, servers.data(), servers.size());
  // nginx goes on to the next name server only when it asks again, by default after 5 s.
  if (resolver != nullptr) resolver->resend_timeout = 2;
  return resolver;
}

NameSource choose_names(ngx_resolver_t* configured, ngx_resolver_t* of_system,
                        std::shared_ptr<const SystemNames> system) {
  if (configured != nullptr && configured->connections.nelts != 0) {
    return {std::move(system), configured, false};
  }
  return {std::move(system), of_system, true};
}

std::vector<Address> Dns::without_name_server(const std::string& host) const {
  if (const std::optional<Address> literal = Address::parse(host, 0)) return {*literal};
  std::string name = host;
  if (name.ends_with('.')) name.pop_back();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  if (name == "localhost" || name.ends_with(".localhost")) {
    return {*Address::parse("127.0.0.1", 0), *Address::parse("::1", 0)};
  }
  if (source_.system) {
    const auto found = source_.system->hosts.find(name);
    if (found != source_.system->hosts.end()) return found->second;
  }
  return {};
}

Task<Result<std::vector<Address>>> Dns::resolve(std::string host, std::uint16_t port,
                                                Milliseconds timeout) const {
  std::vector<Address> addresses = without_name_server(host);
  ngx_int_t failed_with = NGX_RESOLVE_NXDOMAIN;
  if (addresses.empty() && source_.resolver != nullptr) {
    const std::uint64_t deadline =
        loop_.monotonic_ms() +
        static_cast<std::uint64_t>(std::max<Milliseconds::rep>(timeout.count(), 0));
    std::vector<std::string> names{host};
    if (source_.searches && source_.system) names = search_order(*source_.system, host);
    for (const std::string& name : names) {
      const std::uint64_t now = loop_.monotonic_ms();
      if (now >= deadline) {
        failed_with = NGX_RESOLVE_TIMEDOUT;
        break;
      }
      const Milliseconds left(static_cast<Milliseconds::rep>(deadline - now));
      Answer answer = co_await ask(loop_, source_.resolver, name, left);
      if (answer.state == NGX_OK && !answer.addresses.empty()) {
        addresses = std::move(answer.addresses);
        break;
      }
      // Any other failure than "no such name" says more about why nothing was found.
      if (answer.state != NGX_OK && answer.state != NGX_RESOLVE_NXDOMAIN) {
        failed_with = answer.state;
      }
    }
  }
  if (addresses.empty()) co_return failure(host, failed_with);
  for (Address& address : addresses) address = address.with_port(port);
  co_return std::move(addresses);
}

}  // namespace oidc
