// The events themselves: the truth that everything else is made of.
import { useVirtualizer } from '@tanstack/react-virtual';
import { Link } from '@tanstack/react-router';
import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import { base } from '../api/base';
import type { RunEvent } from '../api/types';
import { clock, count } from '../ui/format';
import { Empty } from '../ui/states';
import { sentence } from './words';

export function Events({ events, version, seq, runId }: { events: readonly RunEvent[]; version: number; seq: number | null; runId: string }) {
  const [activity, setActivity] = useState(false);
  const [text, setText] = useState('');
  const needle = useDeferredValue(text.toLowerCase());
  const shown = useMemo(() => events.filter((event) => (activity || event.event !== 'stream_activity' || event.seq === seq) &&
    (needle === '' || `${event.event} ${event.step ?? ''} ${sentence(event)}`.toLowerCase().includes(needle))),
  // The list grows in place; `version` tells when.
  [events, version, activity, needle, seq]);
  const box = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({ count: shown.length, getScrollElement: () => box.current, estimateSize: () => 27, overscan: 20 });
  const here = seq === null ? undefined : shown.find((event) => event.seq === seq);
  useEffect(() => {
    const index = shown.findIndex((event) => event.seq === seq);
    if (index >= 0) list.scrollToIndex(index, { align: 'center' });
    // Only when another event is asked for, not when more arrive.
  }, [seq, list]);
  return (
    <div>
      <div className="output-tools">
        <input className="input" type="search" placeholder="Filter events" aria-label="Filter events" value={text} onChange={(event) => setText(event.target.value)} />
        <label className="checkbox"><input type="checkbox" checked={activity} onChange={(event) => setActivity(event.target.checked)} />Agents’ activity, too</label>
        <span className="grow" />
        <span className="small quiet tabular">{count(shown.length)} of {count(events.length)}</span>
        <a className="button small plain" href={`${base}/api/runs/${encodeURIComponent(runId)}/logs?format=text`} target="_blank" rel="noreferrer">Log as text</a>
      </div>
      {shown.length === 0 ? <Empty icon="list" title="No event is like that" /> : (
        <div ref={box} className="scroll" style={{ height: 'min(60vh, 620px)', overflow: 'auto' }} tabIndex={0} role="region" aria-label="Events">
          <div style={{ height: list.getTotalSize(), position: 'relative' }}>
            {list.getVirtualItems().map((row) => {
              const event = shown[row.index]!;
              return (
                <Link key={event.seq} to="." search={(old: object) => ({ ...old, seq: String(event.seq) })} replace resetScroll={false}
                  className={`event-row${event.seq === seq ? ' here' : ''}`} style={{ transform: `translateY(${row.start}px)`, color: 'inherit' }}>
                  <span className="quiet tabular">{event.seq}</span>
                  <span className="quiet tabular ts">{clock(event.ts)}</span>
                  <span className="mono truncate">{event.event}</span>
                  <span className="truncate st">{event.step ?? ''}</span>
                  <span className="what">{sentence(event)}</span>
                </Link>
              );
            })}
          </div>
        </div>
      )}
      {here && <pre className="code wrap" style={{ margin: 'var(--s3)', maxHeight: 320 }}>{JSON.stringify(here, null, 2)}</pre>}
    </div>
  );
}
