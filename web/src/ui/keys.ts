// Keys: single ones, Ctrl or Cmd with one, and two in a row ("g r"). They rest while somebody types.
import { useEffect, useRef } from 'react';

type Actions = Record<string, () => void>;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

export function useKeys(actions: Actions): void {
  const latest = useRef(actions);
  latest.current = actions;
  useEffect(() => {
    let first = '';
    let at = 0;
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented) return;
      const mod = event.ctrlKey || event.metaKey;
      if ((isTyping(event.target) && !mod) || event.altKey) return;
      if (!mod && document.querySelector('[role=dialog]')) return;
      const key = mod ? `mod+${event.key.toLowerCase()}` : event.key;
      const pair = Date.now() - at < 1_000 ? `${first} ${key}` : '';
      const action = (pair && latest.current[pair]) || latest.current[key];
      first = key;
      at = Date.now();
      if (!action) return;
      event.preventDefault();
      action();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

export const keyHelp: { title: string; keys: [string, string][] }[] = [
  {
    title: 'Everywhere',
    keys: [
      ['Ctrl K', 'Find a page, a run, a pipeline, or do something'], ['?', 'This list'], ['c', 'New run'], ['g r', 'Runs'],
      ['g p', 'Pipelines'], ['g t', 'Retrospectives'], ['g a', 'Activity'], ['g s', 'Server'], ['Esc', 'Close what is open'],
    ],
  },
  { title: 'Runs', keys: [['j  k', 'Down and up the list'], ['Enter', 'Open the run'], ['f', 'Filter by text'], ['x', 'Select for an action']] },
  {
    title: 'A run',
    keys: [
      ['j  k', 'Next and previous step'], ['1 … 6', 'Tabs of the step'], ['f', 'Search its output'], ['e', 'Jump to the first error'],
      ['y', 'To the gate that waits'],
    ],
  },
];
