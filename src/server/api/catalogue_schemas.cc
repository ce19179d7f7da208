#include "server/api/add_schemas.h"
#include "server/api/schema_words.h"

namespace wave::server {

using namespace words;

void add_catalogue_schemas(Schemas& schemas) {
  schemas.add("Diagnostic",
              object("Something to say about a file.",
                     {{"severity", one_of("how bad", {"error", "unsupported", "warning"})},
                      {"code", text("a stable code")},
                      {"file", text("relative to the project")},
                      {"line", integer("from 1; 0: unknown")},
                      {"column", integer("from 1; 0: unknown")},
                      {"key", nullable(text("the key's path"))},
                      {"message", text("what is wrong")},
                      {"hint", nullable(text("what to do about it"))}}));
  schemas.add(
      "PipelineInput",
      object("What a pipeline is started with.",
             {{"source", nullable(text("where it usually comes from, as written"))},
              {"type", text("string, or the name of a shared type, as written")},
              {"schema", nullable(anything("a JSON Schema; null: any text will do"))},
              {"held", flag("whether a submit is refused when its input does not fit the schema")},
              {"is_text", flag("the input is the text itself; else it is JSON, as text")}}));
  schemas.add("Pipeline",
              object("A pipeline of the project.",
                     {{"name", text("what a submit names")},
                      {"path", text("its file, relative to the project")},
                      {"description", nullable(text("for people"))},
                      {"category", nullable(text("for grouping"))},
                      {"disabled", flag("not to be started")},
                      {"valid", flag("whether it loads; else see `diagnostics`")},
                      {"runnable", flag("valid, and this version carries out all of it")},
                      {"input_example", nullable(text("an input to start from"))},
                      {"input", named("PipelineInput")},
                      {"step_count", integer("how many steps it has")},
                      {"steps", list_of(text("a step's id"), "in order")},
                      {"diagnostics", list_of(named("Diagnostic"), "what there is to say")}}));
  schemas.add("PipelineList", page_of("pipelines", "Pipeline"));
  schemas.add("PipelineDetail",
              object("A pipeline with its source.", {{"pipeline", named("Pipeline")},
                                                     {"source", text("the YAML text")},
                                                     {"sha256", text("of the source")},
                                                     {"graph", named("Graph")}}));
  schemas.add("Validate", request("A pipeline to check.",
                                  {{"yaml", bounded_text("the YAML text", 1 << 20, 1)},
                                   {"name", bounded_text("as if it were that pipeline's", 128)}},
                                  {"yaml"}));
  schemas.add("Validated", object("What there is to say about it.",
                                  {{"valid", flag("whether it loads")},
                                   {"runnable", flag("and this version carries out all of it")},
                                   {"name", nullable(text("the pipeline's name"))},
                                   {"graph", nullable(named("Graph"))},
                                   {"diagnostics", list_of(named("Diagnostic"), "all of them")}}));
  schemas.add("Start",
              request("What to start it with, as older scripts say it.",
                      {{"input", bounded_text("what it is to work on", 512 << 10)},
                       {"model", bounded_text("another model", 256)},
                       {"adapter", bounded_text("another agent", 256)},
                       {"timeout", json::object{{"type", "integer"},
                                                {"minimum", 0},
                                                {"maximum", 527040},
                                                {"description", "minutes for each step; 0: none"}}},
                       {"steps", bounded_text("only these, separated by commas", 4096)},
                       {"exclude", bounded_text("all but these, separated by commas", 4096)},
                       {"dry_run", flag("answers with the plan, and starts nothing")},
                       {"detach", flag("accepted; every run goes on by itself here")},
                       {"force_model", flag("`model` stands for those of all steps")},
                       {"source", bounded_text("accepted; becomes the tag `source`", 1024)}}));
  schemas.add("Persona",
              object("Somebody who does steps.",
                     {{"name", text("what pipelines name")},
                      {"description", nullable(text("for people"))},
                      {"adapter", nullable(text("which agent"))},
                      {"model", nullable(text("which model"))},
                      {"temperature", nullable(number("as written"))},
                      {"allowed_tools", list_of(text("a pattern"), "what it may use")},
                      {"denied_tools", list_of(text("a pattern"), "what it may not use")},
                      {"skills", list_of(text("a name"), "what it is taught")},
                      {"used_by", list_of(text("a pipeline"), "who names it")}}));
  schemas.add("PersonaList", page_of("personas", "Persona"));
  schemas.add("PersonaDetail", object("A persona with its prompt.",
                                      {{"persona", named("Persona")},
                                       {"prompt_file", nullable(text("relative to the project"))},
                                       {"prompt", nullable(text("the file's text"))}}));
  schemas.add("Contract", object("A contract's schema of the project.",
                                 {{"name", text("its file's name without the ending")},
                                  {"path", text("its file, relative to the project")},
                                  {"title", nullable(text("as written in it"))},
                                  {"description", nullable(text("as written in it"))},
                                  {"valid", flag("whether it is JSON")}}));
  schemas.add("ContractList", page_of("contracts", "Contract"));
  schemas.add("ContractDetail",
              object("A contract's schema with its text.",
                     {{"contract", named("Contract")}, {"schema", text("the file's text")}}));
  schemas.add("Adapter",
              object("An agent that this version knows.",
                     {{"name", text("what manifests name")},
                      {"description", text("for people")},
                      {"binary", nullable(text("its program; null: built in"))},
                      {"available", flag("whether the program is there")},
                      {"configured", flag("whether the manifest names it")},
                      {"enforces_permissions", flag("whether it can hold a persona to them")}}));
  schemas.add("AdapterList", page_of("adapters", "Adapter"));
}

}  // namespace wave::server
