import { useSyncExternalStore } from 'react';
import { ApiError } from '../api/client';
import { Icon } from './icons';

interface Toast {
  id: number;
  tone: 'ok' | 'bad' | 'run';
  title: string;
  text?: string | undefined;
}

let toasts: Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();
const announce = () => listeners.forEach((call) => call());

export function dismiss(id: number): void {
  toasts = toasts.filter((toast) => toast.id !== id);
  announce();
}

export function toast(tone: Toast['tone'], title: string, text?: string): void {
  const id = next++;
  toasts = [...toasts.slice(-3), { id, tone, title, text }];
  announce();
  // Bad news stay until they are read.
  if (tone !== 'bad') setTimeout(() => dismiss(id), 6_000);
}

export function toastError(doing: string, error: unknown): void {
  const hint = error instanceof ApiError ? error.problem.hint : undefined;
  toast('bad', doing, [(error as Error).message, hint].filter(Boolean).join(' '));
}

export function Toasts() {
  const list = useSyncExternalStore((call) => {
    listeners.add(call);
    return () => listeners.delete(call);
  }, () => toasts);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {list.map((one) => (
        <div key={one.id} className={`toast tone-${one.tone}`}>
          <p><strong>{one.title}</strong>{one.text && <><br />{one.text}</>}</p>
          <button className="button plain icon small" aria-label="Dismiss" onClick={() => dismiss(one.id)}><Icon name="close" size={14} /></button>
        </div>
      ))}
    </div>
  );
}
