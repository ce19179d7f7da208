// flow: the pure core. A run is a fold over its events; what happens next is a function of the
// pipeline and the folded state. No clock, no file, no process, no thread, no randomness in here:
// time and chance enter as events. Everything is a value; any thread may use its own copies.
#pragma once
