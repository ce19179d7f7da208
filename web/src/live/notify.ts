// Browser notifications, for those who asked for them: a gate waits, a run has ended.
import { base } from '../api/base';
import type { RunEvent } from '../api/types';
import { live } from './live';

const kAllowed = 'wave.notify';

export function notifies(): boolean {
  try {
    return localStorage.getItem(kAllowed) === 'yes' && typeof Notification === 'function' && Notification.permission === 'granted';
  } catch {
    return false;
  }
}

export async function setNotifies(on: boolean): Promise<boolean> {
  if (on && typeof Notification === 'function' && Notification.permission !== 'granted') await Notification.requestPermission();
  try {
    localStorage.setItem(kAllowed, on ? 'yes' : 'no');
  } catch {
    return false;
  }
  return notifies();
}

const endings: Record<string, string> = {
  run_completed: 'completed', run_failed: 'failed', run_rejected: 'was rejected',
};

function worth(event: RunEvent): { title: string; body: string } | null {
  if (event.event === 'gate_waiting' && event.type !== 'timer') return { title: `${event.step} waits for you`, body: String(event.prompt ?? '') };
  const ending = endings[event.event];
  return ending ? { title: `A run ${ending}`, body: event.run_id } : null;
}

export function startNotifying(): void {
  live.onEvents((events) => {
    if (!notifies() || document.visibilityState === 'visible') return;
    for (const event of events) {
      const news = worth(event);
      if (!news) continue;
      // The tag keeps several tabs from telling the same thing.
      const note = new Notification(news.title, { body: news.body, tag: `${event.run_id}.${event.seq}`, icon: `${base}/favicon.svg` });
      note.onclick = () => {
        window.focus();
        location.assign(`${base}/runs/${encodeURIComponent(event.run_id)}${event.step ? `?step=${encodeURIComponent(event.step)}` : ''}`);
      };
    }
  });
}
