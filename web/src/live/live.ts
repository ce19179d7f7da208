// The page's end of the stream: its state, its events, and the last of them for those who come late.
import type { RunEvent } from '../api/types';
import { Connection, type ConnectionState, type Message } from './connection';

type EventsListener = (events: RunEvent[]) => void;
const kRemembered = 4_000;

export class Live {
  state: ConnectionState = 'connecting';
  since = Date.now();
  private readonly stateListeners = new Set<() => void>();
  private readonly eventListeners = new Set<EventsListener>();
  private readonly refreshListeners = new Set<() => void>();
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
    if (this.state === 'signed_out') this.receive({ kind: 'state', state: 'connecting', since: Date.now() });
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
  onRefresh(call: () => void): () => void {
    this.refreshListeners.add(call);
    return () => this.refreshListeners.delete(call);
  }

  private receive(message: Message): void {
    if (message.kind === 'state') {
      this.state = message.state;
      this.since = message.since;
      for (const call of this.stateListeners) call();
    } else if (message.kind === 'refresh') {
      this.remembered = [];
      for (const call of this.refreshListeners) call();
    } else {
      this.remembered.push(...message.events);
      if (this.remembered.length > 2 * kRemembered) this.remembered = this.remembered.slice(-kRemembered);
      for (const call of this.eventListeners) call(message.events);
    }
  }
}

export const live = new Live();
