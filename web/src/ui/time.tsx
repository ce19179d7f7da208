// Times that go on by themselves: one clock for the whole page.
import { useSyncExternalStore } from 'react';
import { ago, between, duration, exact } from './format';

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;

function subscribe(call: () => void): () => void {
  listeners.add(call);
  timer ??= setInterval(() => {
    if (document.visibilityState !== 'visible') return;
    now = Date.now();
    for (const one of listeners) one();
  }, 1_000);
  return () => {
    listeners.delete(call);
    if (listeners.size === 0 && timer) {
      clearInterval(timer);
      timer = null;
    }
  };
}

export function useNow(active = true): number {
  return useSyncExternalStore(active ? subscribe : () => () => {}, () => now);
}

export function Ago({ time }: { time: string | null | undefined }) {
  const at = useNow(Boolean(time));
  if (!time) return <span className="quiet">–</span>;
  return <time dateTime={time} title={exact(time)} className="nowrap">{ago(time, at)}</time>;
}

/** How long something took, or has taken by now. */
export function Lasted({ from, to }: { from: string | null; to: string | null }) {
  const at = useNow(Boolean(from) && !to);
  const ms = between(from, to, at);
  return <span className="tabular nowrap" title={from ? exact(from) : undefined}>{duration(ms)}</span>;
}
