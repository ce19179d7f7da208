// Title and icon of the tab show state: how much waits for a person, how the run in view stands.
import { base } from '../api/base';
import { useEffect } from 'react';

let waiting = 0;
let title = '';
let tone = '';

const marks = new Set(['ok', 'bad', 'warn', 'run']);

function show(): void {
  document.title = `${waiting > 0 ? `(${waiting}) ` : ''}${title ? `${title} · wave` : 'wave'}`;
  const mark = marks.has(tone) ? tone : waiting > 0 ? 'warn' : '';
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]');
  const href = `${base}/${mark ? `favicon-${mark}` : 'favicon'}.svg`;
  if (link && link.getAttribute('href') !== href) link.setAttribute('href', href);
}

export function setWaiting(count: number): void {
  waiting = count;
  show();
}

export function useTitle(text: string, mark = ''): void {
  useEffect(() => {
    title = text;
    tone = mark;
    show();
    return () => {
      title = '';
      tone = '';
    };
  }, [text, mark]);
}
