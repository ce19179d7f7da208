// Ctrl-K: every page, every pipeline to start, the last runs, the theme.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useId, useMemo, useRef, useState } from 'react';
import { pipelinesQuery, runsQuery } from '../api/queries';
import { Dialog } from './dialog';
import { shortId } from './format';
import { Icon, type IconName } from './icons';
import { Glyph, wordOf } from './status';
import { setTheme } from './theme';

interface Entry {
  key: string;
  label: string;
  kind: string;
  icon?: IconName;
  status?: string;
  words: string;
  act: () => void;
}

/** All words have to be there, in any order. */
export function matches(text: string, needle: string): boolean {
  const hay = text.toLowerCase();
  return needle.toLowerCase().split(/\s+/).every((word) => hay.includes(word));
}

export default function Palette({ onClose, places }: { onClose: () => void; places: { to: string; label: string; icon: IconName }[] }) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const navigate = useNavigate();
  const pipelines = useQuery(pipelinesQuery).data?.pipelines;
  const runs = useInfiniteQuery(runsQuery({})).data;
  const id = useId();
  const list = useRef<HTMLUListElement>(null);

  const entries = useMemo((): Entry[] => {
    const go = (to: string, search?: Record<string, string>) => () => void navigate({ to, ...(search ? { search } : {}) });
    return [
      ...places.map((place): Entry => ({
        key: place.to, label: place.label, kind: 'Page', icon: place.icon, words: place.label, act: go(place.to),
      })),
      ...(pipelines ?? []).map((pipeline): Entry => ({
        key: `start ${pipeline.name}`, label: `Start ${pipeline.name}`, kind: 'Pipeline', icon: 'plus',
        words: `start run ${pipeline.name} ${pipeline.description ?? ''}`, act: go('/new', { pipeline: pipeline.name }),
      })),
      ...(runs?.pages.flatMap((page) => page.runs) ?? []).map((run): Entry => ({
        key: run.run_id, label: run.input || run.pipeline, kind: `${run.pipeline} · ${shortId(run.run_id)}`, status: run.status,
        words: `${run.run_id} ${run.input ?? ''} ${wordOf(run.status)}`, act: go(`/runs/${run.run_id}`),
      })),
      { key: 'light', label: 'Light theme', kind: 'Setting', icon: 'sun', words: 'light theme', act: () => setTheme('light') },
      { key: 'dark', label: 'Dark theme', kind: 'Setting', icon: 'moon', words: 'dark theme', act: () => setTheme('dark') },
    ];
  }, [places, pipelines, runs, navigate]);
  const shown = useMemo(() => entries.filter((entry) => matches(entry.words, text)).slice(0, 60), [entries, text]);
  const chosen = Math.min(at, shown.length - 1);

  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.act();
  };
  const move = (by: number) => {
    const next = (chosen + by + shown.length) % Math.max(shown.length, 1);
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: 'nearest' });
  };
  return (
    <Dialog open onClose={onClose} title="Find or do" kind="palette">
      <input
        autoFocus aria-label="Find a page, a run or a pipeline" placeholder="Find a page, a run, a pipeline …" value={text}
        role="combobox" aria-expanded="true" aria-controls={id} aria-activedescendant={shown[chosen] ? `${id}-${chosen}` : undefined}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') move(1);
          else if (event.key === 'ArrowUp') move(-1);
          else if (event.key === 'Enter') choose(shown[chosen]);
          else return;
          event.preventDefault();
        }}
      />
      <ul id={id} role="listbox" aria-label="Results" ref={list}>
        {shown.map((entry, i) => (
          <li key={entry.key} id={`${id}-${i}`} role="option" aria-selected={i === chosen} onClick={() => choose(entry)} onMouseMove={() => setAt(i)}>
            {entry.status ? <Glyph status={entry.status} /> : <Icon name={entry.icon ?? 'right'} size={16} />}
            <span className="truncate">{entry.label}</span>
            <span className="quiet nowrap">{entry.kind}</span>
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="quiet" style={{ padding: 'var(--s4)' }}>Nothing is called that.</p>}
    </Dialog>
  );
}
