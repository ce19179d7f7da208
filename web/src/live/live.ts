// The page's end of the stream: its state, its events, and the last of them for those who come late.
import type { RunEvent } from '../api/types';
import { Connection, type ConnectionState, type Message } from './connection';

type EventsListener = (events: RunEvent[]) => void;
const kRemembered = 4_000;

/** After what has just been folded is on the screen. */
const afterNextFrame = (call: () => void) => {
  if (document.visibilityState === 'visible') requestAnimationFrame(() => setTimeout(call));
  else setTimeout(call, 150);
};

export class Live {
  /** What is said: live only when the line is, and nothing that is shown is still being fetched again. */
  state: ConnectionState = 'connecting';
  private line: ConnectionState = 'connecting';
  private readonly behind = new Set<unknown>();
  private readonly stateListeners = new Set<() => void>();
  private readonly eventListeners = new Set<EventsListener>();
  private readonly refreshListeners = new Set<() => Promise<unknown> | void>();
  private remembered: RunEvent[] = [];
  private tell: (word: 'nudge' | 'lost' | 'bye') => void = () => {};

  start(): void {
    const receive = (message: Message) => this.receive(message);
    if (typeof SharedWorker === 'function') {
      const worker = new SharedWorker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'wave' });
      worker.port.onmessage = ({ data }: MessageEvent<Message>) => receive(data);
      worker.port.start();
      this.tell = (word) => worker.port.postMessage(word);
    } else {
      const connection = new Connection(receive);
      this.tell = (word) => {
        if (word === 'nudge') connection.nudge();
        if (word === 'lost') connection.lost();
      };
      connection.start();
    }
    addEventListener('pagehide', (event) => {
      if (!event.persisted) this.tell('bye');
    });
    addEventListener('online', () => this.tell('nudge'));
    addEventListener('offline', () => this.tell('lost'));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.tell('nudge');
    });
  }

  nudge(): void {
    // Whoever has just signed in must not be sent back by what was true before.
    if (this.line === 'signed_out') this.receive({ kind: 'state', state: 'connecting', since: Date.now() });
    this.tell('nudge');
  }

  /** What came of this run after `seq`, as far as it is remembered here. */
  recent(runId: string, seq: number): RunEvent[] {
    return this.remembered.filter((event) => event.run_id === runId && event.seq > seq);
  }

  onState = (call: () => void): (() => void) => {
    this.stateListeners.add(call);
    return () => this.stateListeners.delete(call);
  };
  onEvents(call: EventsListener): () => void {
    this.eventListeners.add(call);
    return () => this.eventListeners.delete(call);
  }
  /** Called when what was fetched before may be old; what it returns is waited for before one is live. */
  onRefresh(call: () => Promise<unknown> | void): () => void {
    this.refreshListeners.add(call);
    return () => this.refreshListeners.delete(call);
  }
  /** Whether what this one shows is known to be old. */
  setBehind(who: unknown, behind: boolean): void {
    if (behind === this.behind.has(who)) return;
    if (behind) this.behind.add(who);
    else this.behind.delete(who);
    this.say();
  }

  private say(): void {
    const state = this.line === 'live' && this.behind.size > 0 ? 'catching_up' : this.line;
    if (state === this.state) return;
    if (state !== 'live') return this.become(state);
    afterNextFrame(() => {
      if (this.line === 'live' && this.behind.size === 0) this.become('live');
    });
  }
  private become(state: ConnectionState): void {
    if (state === this.state) return;
    this.state = state;
    for (const call of this.stateListeners) call();
  }

  private receive(message: Message): void {
    if (message.kind === 'state') {
      this.line = message.state;
      this.say();
    } else if (message.kind === 'refresh') {
      this.remembered = [];
      const fetched = [...this.refreshListeners].map((call) => call());
      this.setBehind(message, true);
      void Promise.allSettled(fetched).then(() => this.setBehind(message, false));
    } else {
      this.remembered.push(...message.events);
      if (this.remembered.length > 2 * kRemembered) this.remembered = this.remembered.slice(-kRemembered);
      for (const call of this.eventListeners) call(message.events);
    }
  }
}

export const live = new Live();
