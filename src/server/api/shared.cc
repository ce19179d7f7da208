#include "server/api/shared.h"

#include "base/version.h"
#include "engine/project_loading.h"
#include "server/api/docs_page.h"
#include "server/api/openapi.h"
#include "store/snapshot.h"

namespace wave::server::api {

Shared::Shared(Services& services, const RouteTable& routes, const Schemas& schemas)
    : store_(services.store), logs_(services.store) {
  const json::object document = openapi_document(routes, schemas, kVersion, services.base_path);
  openapi_ = std::make_shared<const std::string>(dump_json(document));
  docs_page_ = std::make_shared<const std::string>(docs_html(routes, schemas));
}

Result<std::shared_ptr<const flow::Program>> Shared::program(const std::string& snapshot) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = programs_.find(snapshot); known != programs_.end()) return known->second;
  }
  WAVE_TRY(const store::Snapshot files, store::load_snapshot(store_, snapshot));
  WAVE_TRY(flow::Program loaded, engine::load_from_snapshot(files));
  auto program = std::make_shared<const flow::Program>(std::move(loaded));
  const std::lock_guard lock(mutex_);
  if (programs_.emplace(snapshot, program).second) order_.push_back(snapshot);
  if (order_.size() > kMostPrograms) {
    programs_.erase(order_.front());
    order_.pop_front();
  }
  return program;
}

}  // namespace wave::server::api
