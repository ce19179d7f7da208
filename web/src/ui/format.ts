// Numbers and times for people.
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || ms < 0) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const s = ms / 1_000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min ${String(Math.floor(s % 60)).padStart(2, '0')} s`;
  const h = Math.floor(m / 60);
  if (h < 48) return `${h} h ${String(m % 60).padStart(2, '0')} min`;
  return `${Math.floor(h / 24)} d ${h % 24} h`;
}

export function between(from: string | null, to: string | null, now: number): number | null {
  if (!from) return null;
  return Math.max(0, (to ? Date.parse(to) : now) - Date.parse(from));
}

export function money(usd: number): string {
  if (usd === 0) return '$0';
  if (usd < 0.01) return '<$0.01';
  return `$${usd.toFixed(usd < 10 ? 2 : usd < 1000 ? 1 : 0)}`;
}

export function count(value: number): string {
  if (value < 10_000) return value.toLocaleString('en-US');
  if (value < 1_000_000) return `${(value / 1_000).toFixed(value < 100_000 ? 1 : 0)}k`;
  return `${(value / 1_000_000).toFixed(1)}M`;
}

/** "1 step", "3 steps". */
export function many(number: number, one: string, more = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : more}`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  if (value < 1024 ** 2) return `${(value / 1024).toFixed(1)} KiB`;
  if (value < 1024 ** 3) return `${(value / 1024 ** 2).toFixed(1)} MiB`;
  return `${(value / 1024 ** 3).toFixed(1)} GiB`;
}

export function ago(time: string, now: number): string {
  const s = (now - Date.parse(time)) / 1_000;
  const future = s < -1;
  const a = Math.abs(s);
  const words = a < 10 ? 'now' : a < 60 ? `${Math.floor(a)} s` : a < 3_600 ? `${Math.floor(a / 60)} min`
    : a < 86_400 ? `${Math.floor(a / 3_600)} h` : `${Math.floor(a / 86_400)} d`;
  if (words === 'now') return 'just now';
  return future ? `in ${words}` : `${words} ago`;
}

export function exact(time: string): string {
  const date = new Date(time);
  return `${date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })} (${time})`;
}

export function clock(time: string): string {
  return new Date(time).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** The time of day in a run's id is noise to people: the pipeline and the last ten characters name it. */
export function shortId(runId: string): string {
  return runId.slice(-10);
}
