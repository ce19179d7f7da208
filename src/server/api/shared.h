// What the handlers of this folder share while the server lives.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "flow/program.h"
#include "server/api/log_follower.h"
#include "server/api/schemas.h"
#include "server/route.h"
#include "server/services.h"

namespace wave::server::api {

/// Thread: any, for every method.
class Shared {
 public:
  Shared(Services& services, const RouteTable& routes, const Schemas& schemas);

  [[nodiscard]] const std::shared_ptr<const std::string>& openapi() const { return openapi_; }
  [[nodiscard]] const std::shared_ptr<const std::string>& docs_page() const { return docs_page_; }
  LogFollower& logs() { return logs_; }
  /// What a run was started with. The last ones are kept, as many runs share one.
  Result<std::shared_ptr<const flow::Program>> program(const std::string& snapshot);

 private:
  static constexpr size_t kMostPrograms = 64;

  store::Store& store_;
  std::shared_ptr<const std::string> openapi_, docs_page_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const flow::Program>> programs_;  // guarded by mutex_
  std::list<std::string> order_;                                          // oldest first; likewise
  LogFollower logs_;
};

}  // namespace wave::server::api
