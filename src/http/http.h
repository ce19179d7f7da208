// http: HTTP/1.1 for servers and clients: listeners, connections, TLS, streams. Knows nothing of
// wave. Foreign bytes are parsed by Beast's parser; sockets are driven by epoll reactors of our
// own, because a stream that waits must cost a socket and a cursor, nothing else.
#pragma once
