// The table of `server.webhooks`, and what cannot be seen key by key.
#pragma once

#include "model/file_source.h"
#include "model/key_table.h"
#include "model/webhook.h"

namespace wave::model {

const KeyTable<Webhook>& webhook_keys();

/// Reports what does not fit together: two of a name, triggers on comments without senders, unknown
/// events and placeholders, pipelines that are not there.
void check_webhooks(const std::vector<Webhook>& webhooks, const yaml::Document& document,
                    const FileSource& files, Diagnostics& diagnostics);

}  // namespace wave::model
