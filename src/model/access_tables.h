// The tables of server.auth and server.tls.
#pragma once

#include "model/key_table.h"
#include "model/manifest.h"

namespace wave::model {

const KeyTable<ServerConfig>& auth_keys();
const KeyTable<ServerConfig>& tls_keys();
// Keys of `server` itself.
Key<ServerConfig> trusted_proxies_key();
Key<ServerConfig> allowed_hosts_key();
Key<ServerConfig> allowed_origins_key();

}  // namespace wave::model
