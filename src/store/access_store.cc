#include "store/access_store.h"

#include "base/hash.h"
#include "base/json.h"

namespace wave::store {

std::string audit_hash(const AuditEntry& entry) {
  // As JSON, so that no two entries are written alike.
  return sha256_hex(dump_json(json::array{
      entry.previous, entry.id, entry.at.time_since_epoch().count(), entry.actor, entry.address,
      entry.action, entry.target, entry.outcome, entry.status, entry.detail}));
}

}  // namespace wave::store
