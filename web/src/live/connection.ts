// The one connection to /api/events. It lives in the shared worker, or in the page where there is none.
import { base } from '../api/base';
import type { RunEvent } from '../api/types';
import { readFrames, SseParser } from './sse';

export type ConnectionState = 'connecting' | 'live' | 'catching_up' | 'offline' | 'signed_out';

export type Message =
  | { kind: 'state'; state: ConnectionState; since: number }
  | { kind: 'events'; events: RunEvent[] }
  /** What was fetched before may miss something: fetch it again. */
  | { kind: 'refresh'; reason: string };

// Silence for longer than two heartbeats: the line is dead even if nobody said so.
const kSilenceMs = 35_000;
// Where the server does not say how much there is, silence has to do.
const kQuietMs = 1_500;
const kMaxWaitMs = 10_000;
const controlFrames = new Set(['reset', 'busy', 'unauthorized', 'queue_position']);

const numberOf = (cursor: string) => Number(cursor.slice(cursor.lastIndexOf('.') + 1));

export class Connection {
  private state: ConnectionState = 'connecting';
  private since = Date.now();
  private cursor = '';
  private abort: AbortController | null = null;
  private wake: (() => void) | null = null;
  private failures = 0;
  private running = false;

  constructor(private readonly post: (message: Message) => void) {}

  current(): Message {
    return { kind: 'state', state: this.state, since: this.since };
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    void this.run();
  }

  /** Tries again at once: after a login, or when the network came back. */
  nudge(): void {
    if (this.state === 'live' || this.state === 'catching_up') return;
    this.failures = 0;
    if (this.state === 'signed_out') this.become('connecting');
    this.wake?.();
  }

  /** The network went away, as the browser says: believe it at once. */
  lost(): void {
    this.abort?.abort();
  }

  private become(state: ConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    this.since = Date.now();
    this.post(this.current());
  }

  private async run(): Promise<void> {
    for (;;) {
      let wait = 0;
      try {
        wait = await this.once();
        this.failures = 0;
      } catch {
        this.failures += 1;
      }
      if (this.state !== 'signed_out') this.become('offline');
      const backoff = this.state === 'signed_out'
        ? 60_000
        : Math.min(kMaxWaitMs, 300 * 2 ** Math.min(this.failures, 6));
      await this.pause(Math.max(wait, this.failures > 0 || this.state === 'signed_out' ? backoff : 200));
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.wake = null;
        resolve();
      };
      const timer = setTimeout(done, ms);
      this.wake = done;
    });
  }

  /** One connection from beginning to end; returns how long the server asked to wait. */
  private async once(): Promise<number> {
    const fresh = this.cursor === '';
    const abort = new AbortController();
    this.abort = abort;
    let heard = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - heard > kSilenceMs) abort.abort();
    }, 5_000);
    let quiet: ReturnType<typeof setTimeout> | null = null;
    const parser = new SseParser();
    parser.lastId = this.cursor;
    try {
      const response = await fetch(`${base}/api/events${fresh ? '?after=latest' : ''}`, {
        headers: { Accept: 'text/event-stream', ...(fresh ? {} : { 'Last-Event-ID': this.cursor }) },
        credentials: 'same-origin', cache: 'no-store', signal: abort.signal,
      });
      if (response.status === 401) {
        this.become('signed_out');
        return 0;
      }
      if (response.status === 204) return 1_000;
      if (!response.ok || !response.body) throw new Error(`events: ${response.status}`);
      // Fetched first, said second: live is what has nothing left to fetch.
      if (fresh) this.post({ kind: 'refresh', reason: 'connected' });
      const end = response.headers.get('Wave-Stream-End');
      const caughtUp = () => end !== null && numberOf(this.cursor) >= numberOf(end);
      const settle = () => {
        if (this.state === 'catching_up') this.become('live');
      };
      this.become(fresh || caughtUp() ? 'live' : 'catching_up');
      if (end === null) quiet = setTimeout(settle, kQuietMs);
      // Heartbeats carry no frame, so bytes are watched, not frames.
      await readFrames(response, parser, (frames) => {
        heard = Date.now();
        this.failures = 0;
        this.cursor = parser.lastId;
        const events: RunEvent[] = [];
        let stay = true;
        for (const frame of frames) {
          if (!controlFrames.has(frame.event)) {
            events.push(JSON.parse(frame.data) as RunEvent);
          } else if (frame.event === 'unauthorized') {
            this.become('signed_out');
            stay = false;
          } else if (frame.event === 'reset') {
            // What came before is gone: there is nothing to catch up with, everything is fetched.
            this.post({ kind: 'refresh', reason: 'reset' });
            settle();
          } else if (frame.event === 'busy') {
            stay = false;
          }
        }
        if (events.length > 0) this.post({ kind: 'events', events });
        if (caughtUp()) settle();
        if (this.state === 'catching_up' && end === null) {
          if (quiet) clearTimeout(quiet);
          quiet = setTimeout(settle, kQuietMs);
        }
        return stay;
      });
      return parser.retry ?? 0;
    } finally {
      clearInterval(watch);
      if (quiet) clearTimeout(quiet);
      this.abort = null;
    }
  }
}
