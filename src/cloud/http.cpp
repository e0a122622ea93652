#include "cloud/http.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>

#include "core/duration.hpp"

namespace pw {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::uint32_t kHeaderMax = 16 * 1024;

http::verb verb_of(HttpRequest::Method method) {
  switch (method) {
    case HttpRequest::Method::put: return http::verb::put;
    case HttpRequest::Method::post: return http::verb::post;
    case HttpRequest::Method::get: break;
  }
  return http::verb::get;
}

http::request<http::string_body> message_of(const HttpRequest& request) {
  http::request<http::string_body> message(verb_of(request.method), request.target, 11);
  const std::string& address = request.endpoint.address;
  const bool v6 = address.find(':') != std::string::npos;
  std::string host = v6 ? "[" + address + "]" : address;
  if (request.endpoint.port != 80) host += ":" + std::to_string(request.endpoint.port);
  message.set(http::field::host, request.host.empty() ? host : request.host);
  message.set(http::field::user_agent, "preempt-wrap");
  message.set(http::field::connection, "close");
  for (const auto& [name, value] : request.fields) message.set(name, value);
  message.body() = request.body;
  if (request.method != HttpRequest::Method::get) message.prepare_payload();
  return message;
}

// One operation after another, each until its end or the connection's.
class Exchange {
 public:
  explicit Exchange(const HttpRequest& request)
      : request_(request), message_(message_of(request)), stream_(io_) {}

  Result<HttpReply> run() {
    error_code bad;
    const auto address = asio::ip::make_address(request_.endpoint.address, bad);
    if (bad) return Error{"has no address in numbers", {}};
    const auto port = static_cast<std::uint16_t>(request_.endpoint.port);
    const auto begin = std::chrono::steady_clock::now();
    limit_ = std::min(request_.connect_limit, request_.limit);
    stream_.expires_at(begin + limit_);
    if (!connected(tcp::endpoint(address, port))) return failure();
    limit_ = request_.limit;
    stream_.expires_at(begin + limit_);
    if (!written()) return failure();
    parser_.header_limit(kHeaderMax);
    // What is no 200 is told by its number alone, however long its page is.
    parser_.body_limit(boost::none);
    if (!header_read()) return failure();
    if (parser_.get().result_int() != 200) return reply();
    error_ = http::error::body_limit;
    if (parser_.content_length().value_or(0) > kHttpBodyMax) return failure();
    parser_.body_limit(kHttpBodyMax);
    if (!body_read()) return failure();
    return reply();
  }

 private:
  struct Ended {
    Exchange* exchange;
    void operator()(error_code error) const { exchange->error_ = error; }
    void operator()(error_code error, std::size_t) const { exchange->error_ = error; }
  };
  bool connected(const tcp::endpoint& endpoint) {
    stream_.async_connect(endpoint, Ended{this});
    return finish();
  }
  bool written() {
    http::async_write(stream_, message_, Ended{this});
    return finish();
  }
  bool header_read() {
    http::async_read_header(stream_, buffer_, parser_, Ended{this});
    return finish();
  }
  bool body_read() {
    http::async_read(stream_, buffer_, parser_, Ended{this});
    return finish();
  }
  bool finish() {
    io_.restart();
    io_.run();
    return !error_;
  }

  Error failure() const {
    if (error_ == beast::error::timeout) return {"does not answer within " + spoken(limit_), {}};
    if (error_ == http::error::body_limit || error_ == http::error::header_limit) {
      return {"answers with more than any notice has", {}};
    }
    if (error_ == http::error::end_of_stream || error_ == http::error::partial_message) {
      return {"breaks off in the middle of its answer", {}};
    }
    if (error_.category() == http::make_error_code(http::error::bad_version).category()) {
      return {"does not answer in HTTP: " + error_.message(), {}};
    }
    return {"cannot be asked: " + error_.message(), {}};
  }

  HttpReply reply() {
    HttpReply reply;
    auto& message = parser_.get();
    reply.status = message.result_int();
    for (const auto& field : message) {
      reply.fields.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    reply.body = std::move(message.body());
    return reply;
  }

  const HttpRequest& request_;
  http::request<http::string_body> message_;
  asio::io_context io_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  http::response_parser<http::string_body> parser_;
  error_code error_;
  Nanos limit_{};
};

}  // namespace

std::string HttpReply::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  }
  return "";
}

Result<HttpReply> ask(const HttpRequest& request) {
  try {
    return Exchange(request).run();
  } catch (const std::exception& error) {
    return Error{std::string("cannot be asked: ") + error.what(), {}};
  }
}

std::string address_text(const HttpRequest& request) {
  const Endpoint& endpoint = request.endpoint;
  const bool v6 = endpoint.address.find(':') != std::string::npos;
  std::string text = "http://" + (v6 ? "[" + endpoint.address + "]" : endpoint.address);
  if (endpoint.port != 80) text += ":" + std::to_string(endpoint.port);
  return text + request.target;
}

}  // namespace pw
