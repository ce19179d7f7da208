// Everything a page knows about one run: first the server's snapshot, then its whole log folded here,
// then the live stream. What is shown is never older than what was shown before.
import type { RunDetail, RunEvent } from '../api/types';
import { terminal } from '../api/types';
import { ApiError, get, path, request } from '../api/client';
import { live } from '../live/live';
import { readFrames, SseParser } from '../live/sse';
import { Attempts } from './attempts';
import { fold, initialState, project, type Rows, type RunState } from './fold';

export interface RunView {
  detail: RunDetail | null;
  rows: Rows | null;
  events: readonly RunEvent[];
  attempts: Attempts;
  /** All events are here. */
  complete: boolean;
  cancelling: RunState['cancelRequested'];
  error: Error | null;
  version: number;
}

export class RunStore {
  private view: RunView = {
    detail: null, rows: null, events: [], attempts: new Attempts(), complete: false, cancelling: null, error: null,
    version: 0,
  };
  private state: RunState | null = null;
  private events: RunEvent[] = [];
  private readonly listeners = new Set<() => void>();
  private stopEvents: (() => void) | null = null;
  private stopRefresh: (() => void) | null = null;
  private abort = new AbortController();
  private loading = false;
  private again = false;
  private intended: RunState['cancelRequested'] = null;
  private scheduled = false;
  private failures = 0;

  constructor(readonly runId: string) {}

  subscribe = (call: () => void): (() => void) => {
    this.listeners.add(call);
    if (this.listeners.size === 1) this.begin();
    return () => {
      this.listeners.delete(call);
      if (this.listeners.size === 0) this.end();
    };
  };
  snapshot = (): RunView => this.view;

  reload(): void {
    void this.load();
  }

  /** Shows a cancel as asked for, before the server has said so; the log has the last word. */
  intendCancel(reason: string, force: boolean): void {
    this.intended = { by: '', reason, force };
    this.announce();
  }
  /** The server refused it, or was not reached. */
  takeBack(): void {
    this.intended = null;
    this.announce();
  }

  private begin(): void {
    this.abort = new AbortController();
    this.stopEvents = live.onEvents((events) => this.receive(events.filter((one) => one.run_id === this.runId)));
    this.stopRefresh = live.onRefresh(() => void this.load());
    void this.load();
  }

  private end(): void {
    this.stopEvents?.();
    this.stopRefresh?.();
    this.abort.abort();
    live.setBehind(this, false);
  }

  private async load(): Promise<void> {
    if (this.loading) {
      this.again = true;
      return;
    }
    this.loading = true;
    const { signal } = this.abort;
    // What stands there already may be old until this has come.
    if (this.view.complete) live.setBehind(this, true);
    try {
      const detail = await get<RunDetail>(path`/api/runs/${this.runId}`, signal);
      if (!this.state) this.state = initialState(detail.run.run_id, detail.run.pipeline, detail.graph);
      this.publish({ detail, error: null }, true);
      await this.readLog(Math.max(detail.seq, 0), signal);
      this.failures = 0;
      this.publish({ complete: true, error: null }, true);
      live.setBehind(this, false);
    } catch (error) {
      if (!signal.aborted) this.failed(error as Error, signal);
    } finally {
      this.loading = false;
      if (this.again && !signal.aborted) {
        this.again = false;
        void this.load();
      }
    }
  }

  /** What can be mended by waiting is tried again, as long as somebody looks. */
  private failed(error: Error, signal: AbortSignal): void {
    this.publish({ error }, true);
    const status = error instanceof ApiError ? error.status : 0;
    if (status >= 400 && status < 500 && status !== 429) return live.setBehind(this, false);
    this.failures += 1;
    // The next try is this one, and not at once.
    this.again = false;
    setTimeout(() => {
      if (!signal.aborted) void this.load();
    }, Math.min(10_000, 500 * 2 ** Math.min(this.failures, 5)));
  }

  /** Reads the log from where it is known up to `seq`. */
  private async readLog(seq: number, signal: AbortSignal): Promise<void> {
    this.takeRemembered();
    while (this.lastSeq() < seq) {
      const before = this.lastSeq();
      const response = await request(`${path`/api/runs/${this.runId}/events`}?after=${before}`, {
        headers: { Accept: 'text/event-stream' }, signal,
      });
      if (response.status === 204 || !response.body) return;
      await readFrames(response, new SseParser(), (frames) => {
        for (const frame of frames) {
          if (frame.data.startsWith('{"v"')) this.take(JSON.parse(frame.data) as RunEvent);
        }
        this.publish({});
        return this.lastSeq() < seq;
      });
      if (this.lastSeq() === before) return;
    }
    this.takeRemembered();
  }

  /** What the stream brought meanwhile, as far as it follows on what is here. */
  private takeRemembered(): void {
    for (const event of live.recent(this.runId, this.lastSeq())) this.take(event);
    this.publish({});
  }

  private lastSeq(): number {
    return this.state?.run.last_seq ?? 0;
  }

  private take(event: RunEvent): void {
    if (!this.state || event.seq !== this.state.run.last_seq + 1) return;
    fold(this.state, event);
    this.events.push(event);
    this.view.attempts.add(event);
  }

  private receive(events: RunEvent[]): void {
    if (events.length === 0 || !this.state) return;
    const next = this.lastSeq() + 1;
    if (events[0]!.seq > next) {
      // Older ones are still on their way, or were missed: the log has them.
      if (!this.loading) void this.load();
      else this.again = true;
      return;
    }
    for (const event of events) this.take(event);
    this.publish({});
    if (terminal.has(this.state.run.status) && !this.loading) void this.load();
  }

  private publish(change: Partial<RunView>, now = false): void {
    this.view = { ...this.view, ...change };
    if (now) return this.announce();
    if (this.scheduled) return;
    this.scheduled = true;
    // Many events, one picture: at most one render per frame, and per 100 ms in hidden tabs.
    const later = document.visibilityState === 'visible' ? requestAnimationFrame : (call: () => void) => setTimeout(call, 100);
    later(() => this.announce());
  }

  private announce(): void {
    this.scheduled = false;
    const { state } = this;
    const detail = this.view.detail;
    const folded = state !== null && detail !== null && state.run.last_seq >= detail.seq;
    let rows = this.view.rows;
    if (folded) {
      rows = project(state);
      const known = new Map(detail.steps.map((step) => [step.step, step]));
      rows.steps = rows.steps.map((step) => ({ ...step, kind: known.get(step.step)?.kind ?? step.kind }));
      rows.run.queue_position = rows.run.status === 'queued' ? detail.run.queue_position : null;
    } else if (detail) {
      rows = { run: detail.run, steps: detail.steps, gates: detail.gates, artifacts: detail.artifacts };
    }
    this.view = {
      ...this.view, rows, events: this.events, cancelling: state?.cancelRequested ?? this.intended,
      version: this.view.version + 1,
    };
    for (const call of this.listeners) call();
  }
}

const stores = new Map<string, RunStore>();

/** One store per run, kept for a few runs so that going back is instant. */
export function runStore(runId: string): RunStore {
  let store = stores.get(runId);
  if (!store) {
    store = new RunStore(runId);
    stores.set(runId, store);
    if (stores.size > 8) stores.delete(stores.keys().next().value!);
  }
  return store;
}
