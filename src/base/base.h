// base: what every other room stands on: Result and Error, clock, ids, text, JSON, files, hashing,
// processes' plain helpers, the event loop and logging. It knows nothing of wave, does no work at
// start-up, and keeps no global state except the log sink.
#pragma once
