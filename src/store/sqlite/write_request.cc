#include "store/sqlite/write_request.h"

#include "store/sqlite/wire.h"

namespace wave {

template <typename Archive>
void fields(Archive& archive, Error& error) {
  std::string code(code_name(error.code));
  archive(code, error.message, error.hint, error.reason);
  error.code = code_from_name(code).value_or(Code::kInternal);
}

}  // namespace wave

namespace wave::flow {

template <typename Archive>
void fields(Archive& archive, Usage& usage) {
  archive(usage.tokens_in, usage.tokens_out, usage.tokens_cache_read, usage.tokens_cache_write,
          usage.cost_usd);
}
template <typename Archive>
void fields(Archive& archive, RunRow& run) {
  archive(run.run_id, run.pipeline, run.status, run.actor, run.input, run.waiting_reason,
          run.origin_run_id, run.failed_step, run.error_code, run.error_message, run.tags,
          run.last_seq, run.queued_at, run.started_at, run.finished_at, run.updated_at,
          run.steps_total, run.steps_done, run.usage, run.resuming);
}
template <typename Archive>
void fields(Archive& archive, StepRow& step) {
  archive(step.index, step.step, step.status, step.persona, step.adapter, step.model,
          step.error_code, step.error_message, step.workspace, step.reason, step.visit,
          step.attempt, step.interruptions, step.started_at, step.finished_at, step.usage);
}
template <typename Archive>
void fields(Archive& archive, GateRow& gate) {
  archive(gate.gate_id, gate.step, gate.type, gate.prompt, gate.default_choice, gate.outcome,
          gate.choice, gate.text, gate.by, gate.via, gate.choices, gate.approvers, gate.freeform,
          gate.resolved, gate.forbid_self_approval, gate.opened_at, gate.deadline, gate.decided_at);
}
template <typename Archive>
void fields(Archive& archive, Artifact& artifact) {
  archive(artifact.step, artifact.name, artifact.type, artifact.path, artifact.sha256,
          artifact.size);
}
template <typename Archive>
void fields(Archive& archive, Projection& projection) {
  archive(projection.run, projection.steps, projection.gates, projection.artifacts);
}
/// As its line, which is what is stored.
void fields(store::sqlite::Packer& archive, Event& event) {
  archive(encode(event));
}
void fields(store::sqlite::Unpacker& archive, Event& event) {
  std::string line;
  archive(line);
  if (auto decoded = decode(line)) {
    event = std::move(*decoded);
  } else {
    archive.refuse();
  }
}

}  // namespace wave::flow

namespace wave::store {

template <typename Archive>
void fields(Archive& archive, SpoolMark& mark) {
  archive(mark.step, mark.visit, mark.attempt, mark.purpose, mark.out_offset, mark.err_offset,
          mark.parser_state);
}
template <typename Archive>
void fields(Archive& archive, NewRun& run) {
  archive(run.run_id, run.pipeline, run.snapshot, run.events, run.projection, run.idempotency_key,
          run.request_hash, run.audit);
}
template <typename Archive>
void fields(Archive& archive, CreatedRun& run) {
  archive(run.run_id, run.replayed);
}
template <typename Archive>
void fields(Archive& archive, TakeOver& run) {
  archive(run.run_id, run.note_fold);
}
template <typename Archive>
void fields(Archive& archive, Command& command) {
  archive(command.id, command.run_id, command.kind, command.gate_id, command.payload, command.actor,
          command.via, command.idempotency_key, command.created_at, command.audit);
}
template <typename Archive>
void fields(Archive& archive, LoginCode& code) {
  archive(code.code_hash, code.subject, code.role, code.expires_at);
}
template <typename Archive>
void fields(Archive& archive, RevokedToken& token) {
  archive(token.id, token.subject, token.reason, token.actor, token.revoked_at, token.expires_at);
}
template <typename Archive>
void fields(Archive& archive, AuditEntry& entry) {
  archive(entry.id, entry.at, entry.actor, entry.address, entry.action, entry.target, entry.outcome,
          entry.status, entry.detail, entry.previous, entry.hash);
}

}  // namespace wave::store

namespace wave::store::sqlite {

void fields(Packer& archive, EncodedEvent& event) {
  archive(event.seq, std::string(event.kind->name), event.step, event.line);
}
void fields(Unpacker& archive, EncodedEvent& event) {
  std::string kind;
  archive(event.seq, kind, event.step, event.line);
  if (const auto known = flow::kind_from_name(kind)) {
    event.kind = &flow::info(*known);
  } else {
    archive.refuse();
  }
}
template <typename Archive>
void fields(Archive& archive, EncodedAppend& append) {
  archive(append.request.run_id, append.request.owner_epoch, append.encoded.events,
          append.encoded.foreign, append.request.projection, append.request.spool_marks,
          append.request.consumed_commands);
}
template <typename Archive>
void fields(Archive& archive, TakeOwnership& request) {
  archive(request.runs);
}
template <typename Archive>
void fields(Archive& archive, NoteFold& request) {
  archive(request.run_id, request.finished);
}
template <typename Archive>
void fields(Archive& archive, EndFolds& request) {
  archive(request.run_ids);
}
template <typename Archive>
void fields(Archive& archive, PruneRows& request) {
  archive(request.run_id, request.now);
}
template <typename Archive>
void fields(Archive& archive, PruneEvents& request) {
  archive(request.run);
}
template <typename Archive>
void fields(Archive& archive, RemoveBlobs& request) {
  archive(request.candidates);
}
template <typename Archive>
void fields(Archive& /*archive*/, GiveBackPages& /*request*/) {}
template <typename Archive>
void fields(Archive& archive, AddLoginCode& request) {
  archive(request.code, request.now);
}
template <typename Archive>
void fields(Archive& archive, RevokeToken& request) {
  archive(request.token, request.now);
}
template <typename Archive>
void fields(Archive& archive, PruneWork& work) {
  archive(work.run, work.blobs);
}
template <typename Archive>
void fields(Archive& archive, WriteAnswer& answer) {
  archive(answer.created, answer.epochs, answer.number, answer.prune, answer.done, answer.entry);
}

namespace {

Error not_understood() {
  return {Code::kStore, "another process of wave was not understood",
          "use the same version of wave for the server and the command line"};
}

/// The alternative with this number, empty; the first for a number that there is not.
template <size_t I = 0>
WriteRequest alternative(size_t index) {
  if constexpr (I + 1 < std::variant_size_v<WriteRequest>) {
    if (index != I) return alternative<I + 1>(index);
  }
  return WriteRequest(std::in_place_index<I>);
}

}  // namespace

std::string pack(const WriteRequest& request) {
  Packer packer;
  packer(static_cast<uint8_t>(request.index()));
  std::visit([&packer](const auto& concrete) { packer(concrete); }, request);
  return packer.take();
}

Result<WriteRequest> unpack_request(std::string_view bytes) {
  Unpacker unpacker(bytes);
  uint8_t index = 0;
  unpacker(index);
  if (index >= std::variant_size_v<WriteRequest>) return fail(not_understood());
  WriteRequest request = alternative(index);
  std::visit([&unpacker](auto& concrete) { unpacker(concrete); }, request);
  if (!unpacker.complete()) return fail(not_understood());
  return request;
}

std::string pack(const Result<WriteAnswer>& answer) {
  Packer packer;
  packer(answer.has_value());
  if (answer) {
    packer(*answer);
  } else {
    Error flat(answer.error().code, full_message(answer.error()), answer.error().hint);
    flat.reason = answer.error().reason;
    packer(flat);
  }
  return packer.take();
}

Result<WriteAnswer> unpack_answer(std::string_view bytes) {
  Unpacker unpacker(bytes);
  bool well = false;
  WriteAnswer answer;
  Error error;
  unpacker(well);
  if (well) {
    unpacker(answer);
  } else {
    unpacker(error);
  }
  if (!unpacker.complete()) return fail(not_understood());
  if (!well) return fail(std::move(error));
  return answer;
}

}  // namespace wave::store::sqlite
