// model: what users write. Manifest, pipelines, personas, contracts' configuration and templates:
// YAML in, typed values or diagnostics with file, line and column out. Everything is read through a
// FileSource, so that a run can be loaded again from its snapshot; nothing else touches the disk.
// Nothing here knows what a run is.
#pragma once
