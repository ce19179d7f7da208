// auth: who is it, and what may they do: tokens, keys, certificates, roles. Knows nothing of HTTP
// and nothing of runs.
#pragma once
